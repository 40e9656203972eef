"""Mistakes in a behaviour file that its schema cannot see: what is missing, and what is misspelt.

A contract with none of these is answered by its provider's own words; one with some is answered by
a 500 that names the contract.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ..behaviour.behaviour import Behaviour
from ..behaviour.forms import PLACE, WORDS
from ..clauses.clauses import read_clauses
from ..contracts.contract import Contract
from ..errors import nearest
from ..files import BEHAVIOUR, CHECKS
from ..json_types import Json
from .template_lint import problems_of_templates

_CLAUSE = re.compile(r"[A-Z]{2,3}-[0-9]{3}")


def problems_of_behaviour(contract: Contract) -> Iterator[str]:
    """What is wrong with the behaviour file of *contract*, each with its place."""
    yield from _bad_forms(contract.behaviour)
    yield from problems_of_templates(contract)
    yield from _missing_examples(contract)
    yield from _open_but_paid(contract)
    yield from _bad_parents(contract.behaviour)
    yield from _unknown_clauses(contract)


def _bad_forms(rules: Behaviour) -> Iterator[str]:
    forms = {f"resources/{name}/id": it.id_form for name, it in rules.resources.items()}
    forms |= {f"credentials/{name}/form": it.key_form for name, it in rules.credentials.items()}
    if rules.webhooks is not None:
        forms["webhooks/id"] = rules.webhooks.id_form
        forms["webhooks/secret_form"] = rules.webhooks.secret_form
    for at, form in forms.items():
        words = [match[1] for match in PLACE.finditer(form)]
        for word in words:
            if word not in WORDS:
                yield f"at {at}: {form!r} has {_unknown(word, WORDS)}"
        if not words:
            yield f"at {at}: {form!r} has no place such as {{base62:12}}, so all would be the same"


def _missing_examples(contract: Contract) -> Iterator[str]:
    """Operations that answer the documented example of a reply that is not documented."""
    if contract.has_functions:
        return  # they answer instead
    for id_, rules in contract.behaviour.operations.items():
        status = rules.status.source if rules.status is not None else None
        if rules.does not in {None, "example"} or not isinstance(status, int):
            continue
        if contract.operations[id_].reply(status) is None:
            yield f"at operations/{id_}: openapi.yaml has no reply {status} for it"


def _open_but_paid(contract: Contract) -> Iterator[str]:
    """Operations that need an account, and take no credential that would name one."""
    for id_, rules in contract.behaviour.operations.items():
        if not contract.operations[id_].security and (rules.price or rules.starts):
            yield f"at operations/{id_}: no credential, so no account for its price or job"


def _bad_parents(rules: Behaviour) -> Iterator[str]:
    for name, kind in rules.resources.items():
        if kind.parent is not None and kind.parent not in rules.resources:
            yield f"at resources/{name}/parent: {_unknown(kind.parent, rules.resources)}"


def _unknown_clauses(contract: Contract) -> Iterator[str]:
    """Citations of clauses that clauses.yaml does not have; nothing without that file."""
    known = read_clauses(contract)
    if not known:
        return
    for file in (BEHAVIOUR, CHECKS):
        for text in sorted(set(_texts(contract.content(file)))):
            for clause in _CLAUSE.findall(text):
                if clause not in known:
                    yield f"clauses.yaml has no clause {clause}, which {file} cites"


def _texts(value: Json, name: str = "") -> Iterator[str]:
    """The texts of every `source`, `cites` and `also` in *value*."""
    if isinstance(value, str):
        if name in {"source", "also"}:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)


def _unknown(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {name!r} here{hint} (there are: {', '.join(sorted(known))})"
