"""A request as one line of text, with a line below it for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TextIO

from screentest.specs.json_types import Json

from .output import paint, printable

_PATH_MAX = 100
_TEXT_MAX = 200


def request_lines(
    line: Json, stream: TextIO, *, took_ms: float | None = None, world_id: str = "default"
) -> Iterator[str]:
    """The journal's *line* as text: world time, call, status, and a line for each finding."""
    request, status = line["request"], line["response"]["status"]
    at = line["at"].replace("T", " ").removesuffix("Z")[:19]
    path = printable(request["path"])[:_PATH_MAX]
    sent = line["response"].get("sent", "")
    shown = "no answer" if sent == "nothing" else str(status)
    parts = [
        at,
        f"{printable(request['method']):<6}",
        line["provider"],
        path,
        paint(shown, "red" if shown != str(status) else _colour(status), stream),
    ]
    if took_ms is not None:
        parts.append(f"{took_ms:.0f} ms")
    if line.get("reason"):
        parts.append(line["reason"])
    parts += [f"{it['id']} {it['type']}" for it in line.get("faults", ())]
    if sent and shown == str(status):
        parts.append(f"sent: {printable(sent)}")
    if world_id != "default":
        parts.append(f"[{world_id}]")
    yield "  ".join(parts)
    yield from finding_lines(line.get("findings", ()), stream)


def json_lines(
    line: Json, stream: TextIO, *, took_ms: float | None = None, world_id: str = "default"
) -> Iterator[str]:
    """The journal's *line* as one line of JSON, for programs that collect logs."""
    request = line["request"]
    shown = {
        "level": "info",
        "at": line["at"],
        "world": world_id,
        "id": line["id"],
        "provider": line["provider"],
        "operation": line["operation"],
        "method": request["method"],
        "path": request["path"],
        "status": line["response"]["status"],
        "sent": line["response"].get("sent"),
        "took_ms": round(took_ms, 3) if took_ms is not None else None,
        "reason": line.get("reason"),
        "findings": [it["code"] for it in line.get("findings", ())],
    }
    yield json.dumps({name: value for name, value in shown.items() if value is not None})


def finding_lines(findings: Iterable[Json], stream: TextIO) -> Iterator[str]:
    """An indented line for each finding."""
    for finding in findings:
        yield _finding_line(finding, stream)


def _finding_line(finding: Json, stream: TextIO) -> str:
    where = f"{finding['pointer']}: " if finding["pointer"] else ""
    expected, actual, fix = (
        printable(finding[name])[:_TEXT_MAX] for name in ("expected", "actual", "fix")
    )
    is_warning = finding.get("severity") == "warning"
    code = paint(finding["code"], "yellow" if is_warning else "red", stream)
    weight = "  (warning)" if is_warning else ""
    return f"  └ {code} {where}expected {expected}, got {actual}  fix: {fix}{weight}"


def _colour(status: int) -> str:
    if status < 300:
        return "green"
    return "cyan" if status < 400 else "yellow" if status < 500 else "red"
