"""The operations that a client probably meant by a call that no operation takes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from screentest.specs.contracts.contract import Contract

_MOST = 3
#: Less similar paths are not suggested.
_LIKENESS_MIN = 0.6
#: An exact call of another provider is likelier than a similar one of this provider, and the right
#: method counts for more than one or two letters.
_ELSEWHERE, _OTHER_METHOD = 0.95, 0.2
#: The path matches exactly, so only the method can be wrong.
_THIS_PATH = 2.0
#: A longer path is not a typo, and the cost of comparing is the square of its length.
_PATH_MAX = 200


def near_misses(
    contract: Contract, others: Iterable[Contract], method: str, path: str
) -> list[str]:
    """Up to three routes, the likeliest first, as `POST /v1/videos`; of *others* with their name.

    Paths of *others* must fit exactly.
    """
    if len(path) > _PATH_MAX:
        return []
    method = "GET" if method == "HEAD" else method
    scored = list(_alike(contract, method, path))
    for other in others:
        if other.provider != contract.provider:
            scored += _exact(other, method, path)
    scored.sort(key=lambda it: (-it[0], it[1]))
    return [shown for _, shown in scored[:_MOST]]


def _alike(contract: Contract, method: str, path: str) -> Iterable[tuple[float, str]]:
    # Not at the top: it takes long to load, and most calls match an operation.
    from difflib import SequenceMatcher

    detail = SequenceMatcher(b=path.lower().rstrip("/"))
    prefix = contract.behaviour.prefixes[0]
    for known in contract.routes.paths:
        detail.set_seq1(_with_ids(prefix + known, path).lower().rstrip("/"))
        if detail.real_quick_ratio() < _LIKENESS_MIN or detail.quick_ratio() < _LIKENESS_MIN:
            continue
        likeness = detail.ratio()
        if prefix + known == path:
            yield _THIS_PATH, _scored(1.0, contract.routes.methods(known), method, path)[1]
        elif likeness >= _LIKENESS_MIN:
            yield _scored(likeness, contract.routes.methods(known), method, prefix + known)


def _exact(contract: Contract, method: str, path: str) -> Iterable[tuple[float, str]]:
    rules = contract.behaviour
    for prefix in rules.prefixes:
        if not path.startswith(prefix):
            continue
        known = contract.routes.known(path[len(prefix) :])
        if known is not None:
            methods = contract.routes.methods(known)
            score, shown = _scored(_ELSEWHERE, methods, method, prefix + known)
            yield score, f"{shown} of {rules.name}"
            return


def _scored(likeness: float, methods: list[str], method: str, known: str) -> tuple[float, str]:
    if method in methods:
        return likeness, f"{method} {known}"
    return likeness - _OTHER_METHOD, f"{'/'.join(methods)} {known}"


def _with_ids(known: str, path: str) -> str:
    """*known* with the ids that *path* has in their places, so that they do not count."""
    steps, given = known.split("/"), path.split("/")
    if len(steps) != len(given):
        return re.sub(r"\{\w+\}", "x", known)
    return "/".join(
        there if step.startswith("{") else step for step, there in zip(steps, given, strict=True)
    )
