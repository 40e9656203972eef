"""Tools that read the journal: which requests there were, and why one was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from screentest.specs.clauses.clauses import read_clauses
from screentest.specs.json_types import Json

from ...findings.explanations import explanation, explanations
from ...kernel.errors import unknown
from ..client import segment
from .contract_tools import shown_operation
from .tool import Answer, Mock, Tool

_LAST_MAX = 200
_LAST_DEFAULT = 20
_PAGES_MAX = 1_000
_CLAUSE_ID = re.compile(r"\b[A-Z]{2,}-\d+\b")
_TEXT = {"type": "string"}
_WORLD = {
    **_TEXT,
    "description": "The id of a world. Default: the one that the server was started for.",
}
_FILTERS = ("provider", "operation", "status", "code")


def journal_tools() -> Iterator[Tool]:
    """The tools about requests and findings."""
    yield Tool(
        "list_requests",
        f"List the last requests of a world ({_LAST_DEFAULT}, or `last`), oldest first, with the "
        "codes and the fixes of their findings. explain_request has the whole of one.",
        {
            "world": _WORLD,
            "provider": _TEXT,
            "operation": _TEXT,
            "status": {"type": "integer", "minimum": 100, "maximum": 599},
            "code": {**_TEXT, "description": "Only requests with this finding, such as SC107."},
            "last": {
                "type": "integer",
                "minimum": 1,
                "maximum": _LAST_MAX,
                "default": _LAST_DEFAULT,
            },
        },
        _list_requests,
    )
    yield Tool(
        "explain_request",
        "Explain one request: what was sent and answered, each finding with its fix, what such a "
        "finding means with right code, the clauses of the provider's document behind it, and the "
        "operation as the contract has it.",
        {"request": {**_TEXT, "description": "An id such as req_1."}, "world": _WORLD},
        _explain_request,
        required=("request",),
    )
    yield Tool(
        "explain_finding",
        "Explain a finding by its code: what it means, why it matters, wrong and right code.",
        {"code": {**_TEXT, "description": "Such as SC107."}},
        lambda _mock, given: Answer(None, _explained(given["code"])),
        required=("code",),
    )


def last_requests(mock: Mock, given: Mapping[str, Json], *, last: int = _LAST_MAX) -> list[Json]:
    """The *last* journal lines that have the values of *given*, oldest first."""
    wanted = {name: given.get(name) for name in _FILTERS}
    lines: list[Json] = []
    cursor: str | None = None
    for _ in range(_PAGES_MAX):
        page = mock.of_world(given, "/requests", **wanted, cursor=cursor, limit=_LAST_MAX)
        lines = [*lines, *page["items"]][-last:]
        cursor = page["next_cursor"]
        if not cursor:
            break
    return lines


def _list_requests(mock: Mock, given: Mapping[str, Json]) -> Answer:
    lines = last_requests(mock, given, last=given.get("last", _LAST_DEFAULT))
    return Answer([_in_short(line) for line in lines])


def _in_short(line: Json) -> Json:
    kept = ("code", "severity", "pointer", "fix")
    return {
        **{name: line[name] for name in ("id", "at", "provider", "operation")},
        "method": line["request"]["method"],
        "path": line["request"]["path"],
        "status": line["response"]["status"],
        "reason": line.get("reason"),
        "findings": [
            {name: it[name] for name in kept if name in it} for it in line.get("findings", ())
        ],
    }


def _explain_request(mock: Mock, given: Mapping[str, Json]) -> Answer:
    line = mock.of_world(given, f"/requests/{segment('request', given['request'])}")
    codes = dict.fromkeys(it["code"] for it in line.get("findings", ()))
    sources = " ".join(str(it["source"]) for it in line.get("findings", ()))
    facts: Json = {"request": line}
    if line["provider"] in mock.contracts:
        contract = mock.contracts.load(line["provider"])
        known = read_clauses(contract)
        cited = dict.fromkeys(_CLAUSE_ID.findall(sources))
        facts["clauses"] = {it: known[it].says for it in cited if it in known}
        if line["operation"] is not None:
            facts["contract"] = shown_operation(contract, line["operation"])
    return Answer(facts, [_explained(code) for code in islice(codes, _LAST_MAX)])


def _explained(code: str) -> Json:
    found = explanation(code.upper())
    if found is None:
        raise unknown("finding", code, explanations())
    return found.to_json()
