"""A report of `verify` or `explore` as a page. It is read from the browser's file, and not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from ...kernel.errors import MockError

#: Larger than the report of any packaged provider by a factor of 20.
REPORT_BYTES_MAX = 8 * 1024 * 1024
_TEXT_MAX = 40
#: The verdicts that a reader looks for first.
_ORDER = ("broken", "differs from the reading", "not judged")


class _Line(Struct):
    """A line of an ndjson report of `verify`, of any type."""

    type: str
    id: str = ""
    provider: str = ""
    target: str = ""
    summary: str = ""
    verdict: str = ""
    source: str = ""
    why: str = ""
    remedy: str = ""
    seconds: float = 0.0
    requests: int = 0
    credits: int = 0
    rules: Mapping[str, int] = {}


class _Cell(Struct):
    """A cell of a JSON report of `explore`."""

    cell: str
    summary: str
    verdicts: Sequence[str]
    is_bad: bool
    is_known: bool = False


class _Step(Struct):
    at_s: float
    call: str
    outcome: str
    times: int = 1


class _Story(Struct):
    verdict: str
    cell: str
    steps: Sequence[_Step]
    ending: str
    fix: str
    command: str


class _Exploration(Struct):
    summary: str
    cells: Sequence[_Cell]
    stories: Sequence[_Story] = ()


def read_report(name: str, content: bytes) -> Mapping[str, object]:
    """What the page shows of the report in *content*, a file called *name*.

    Raises:
        MockError: it is neither an ndjson report of `verify` nor a JSON report of `explore`.
    """
    try:
        if content.lstrip().startswith(b'{"type"'):
            return {"name": name, **_verified(content)}
        return {"name": name, "exploration": msgspec.json.decode(content, type=_Exploration)}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MockError(
            f"{name[:_TEXT_MAX]!r} is not a report of `verify --report ndjson:FILE` or of "
            f"`explore --report json:FILE`: {error}",
            code="invalid_field",
        ) from None


def _verified(content: bytes) -> Mapping[str, object]:
    decoder = msgspec.json.Decoder(_Line)
    lines = [decoder.decode(it) for it in content.splitlines() if it.strip()]
    rules = [it for it in lines if it.type == "rule"]
    rules.sort(key=lambda it: _ORDER.index(it.verdict) if it.verdict in _ORDER else len(_ORDER))
    return {"runs": [it for it in lines if it.type == "run"], "rules": rules}
