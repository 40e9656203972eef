"""Media types: which documented one a content type is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=256)
def plain(content_type: str) -> str:
    """*content_type* in lower case, without parameters such as `charset`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a body of *content_type* is JSON."""
    name = plain(content_type)
    return name.endswith(("/json", "+json")) or name in {"application/*", "*/*"}


def best_of(documented: Iterable[str], content_type: str) -> str | None:
    """The one of *documented* that *content_type* is, the most exact one; None if none is."""
    sent = plain(content_type)
    best: tuple[int, str] | None = None
    for name in documented:
        if name == sent:
            return name
        exactness = _exactness(plain(name), sent)
        if exactness and (best is None or exactness > best[0]):
            best = exactness, name
    return best[1] if best is not None else None


def _exactness(documented: str, sent: str) -> int:
    """0 for no match; more for a match with fewer wildcards."""
    if documented == sent:
        return 3
    if documented in {"*/*", "*"}:
        return 1
    start, star, end = documented.partition("*")
    return 2 if star and sent.startswith(start) and sent.endswith(end) else 0
