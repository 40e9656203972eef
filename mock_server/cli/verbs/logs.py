"""`screentest logs`: the journal of a running mock."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from screentest.specs.json_types import Json

from ..client import Mock, call, echo_json_line, segment, world_verb
from ..groups import group
from ..output import fail, printable, say, show, tell
from ..request_line import finding_lines, request_lines

_LOOK_EVERY_S = 0.25
#: A secret in the journal: its first characters and a digest.
_CUT = re.compile(r"\S*…\[[0-9a-f]{8}\]")
#: Characters that a shell interprets between double quotes.
_SPECIAL = re.compile(r'[\\"$`]')
_ESCAPED = r"\\\g<0>"
_SECRET_NAME = re.compile(r"KEY|TOKEN")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which requests to print; an empty string matches all of them."""

    provider: str
    operation: str
    status: str
    code: str
    findings: bool

    def query(self) -> dict[str, str]:
        """The conditions that the mock can filter by."""
        exact = self.status if self.status.isdecimal() else ""
        return {"provider": self.provider, "operation": self.operation, "status": exact}

    def has(self, line: Json) -> bool:
        codes = [finding["code"] for finding in line.get("findings", ())]
        if self.status and not _matches(self.status, line["response"]["status"]):
            return False
        if self.findings and not codes:
            return False
        return not self.code or self.code.upper() in codes


@group("logs", first="list")
def command() -> None:
    """Show the requests and their findings."""


@command.command("list")
@click.option("-f", "--follow", is_flag=True, help="Continue, and print new requests.")
@click.option("--provider", default="", help="Only calls to this provider.")
@click.option("--operation", default="", help="Only this operation, by its id in the contract.")
@click.option("--status", default="", metavar="STATUS", help="Only this status: 402, or 4xx.")
@click.option("--code", default="", help="Only requests with this finding: SC102.")
@click.option("--findings", is_flag=True, help="Only requests with a finding.")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="How many of the past requests.",
)
@world_verb
def list_requests(last: int, mock: Mock, *, follow: bool, as_json: bool, **given: Any) -> None:
    """List requests, oldest first. With --json one document per line."""
    wanted = _Wanted(**given)
    if wanted.status and not re.fullmatch(r"[1-5]([0-9]{2}|xx)", wanted.status):
        fail(
            f"--status must be a status such as 402, or a class such as 4xx, not {wanted.status!r}",
        )
    _check_code(wanted.code.upper())
    if wanted.provider:
        mock.provider(wanted.provider)
    kept: deque[Json] = deque(maxlen=min(last, sys.maxsize))
    cursor = ""
    for line in _after(mock, wanted, ""):
        cursor = line["id"].removeprefix("req_")
        if wanted.has(line):
            kept.append(line)
    if not kept and not follow:
        tell(
            "no matching requests"
            if wanted != _Wanted("", "", "", "", findings=False)
            else "no requests yet"
        )
    for line in kept:
        _print(line, mock.world_id, as_json=as_json)
    while follow:
        time.sleep(_LOOK_EVERY_S)
        for line in _after(mock, wanted, cursor):
            cursor = line["id"].removeprefix("req_")
            if wanted.has(line):
                _print(line, mock.world_id, as_json=as_json)


def _check_code(code: str) -> None:
    if not code:
        return
    from ...findings.explanations import explanations
    from ...kernel.errors import unknown

    if code not in explanations():
        fail(str(unknown("finding", code, explanations())))


@command.command("findings")
@click.option("--provider", default="", help="Only findings about this provider.")
@click.option("--severity", default="", metavar="error|warning", help="Only of this severity.")
@click.option("--code", default="", help="Only this finding: SC212.")
@click.option("--kind", default="", metavar="KIND", help="request, delivery, stream or payment.")
@click.option("--since", default="", metavar="INSTANT", help="Only from this world time on.")
@click.option("--final", is_flag=True, help="Judge paid jobs as if the client had ended.")
@world_verb
def list_findings(mock: Mock, *, final: bool, as_json: bool, **given: str) -> None:
    """List all findings: about requests, deliveries, streams and payments.

    With --json one document per line.
    """
    _check_code(given["code"].upper())
    query = {**given, "code": given["code"].upper(), "final": "true" if final else ""}
    found = list(mock.items("/findings", query))
    if not found:
        tell("no findings")
    for finding in found:
        if as_json:
            echo_json_line(finding)
            continue
        where = finding["where"]
        place = [finding["at"], where["kind"], where["id"], finding["provider"], where["operation"]]
        say("  ".join(printable(it) for it in place if it))
        for text in finding_lines([finding], sys.stdout):
            say(text)


@command.command("show")
@click.argument("request")
@world_verb
def show_request(request: str, mock: Mock, *, as_json: bool) -> None:
    """Show one request with its answer, its findings, and a curl command that repeats it."""
    line = mock.get(f"/requests/{segment('request', request)}")
    provider = line["provider"]
    base = mock.get()["providers"][provider]["base_url"]
    known = next(it for it in call(mock.url, "GET", "/providers") if it["id"] == provider)
    secret = next((name for name in known["env"] if _SECRET_NAME.search(name)), "API_KEY")
    show({**line, "curl": _curl(line, base, secret)}, _details, as_json=as_json)


def _after(mock: Mock, wanted: _Wanted, cursor: str) -> Iterator[Json]:
    return mock.items("/requests", wanted.query(), cursor)


def _print(line: Json, world_id: str, *, as_json: bool) -> None:
    if as_json:
        echo_json_line(line)
        return
    for text in request_lines(line, sys.stdout, world_id=world_id):
        say(text)


def _matches(wanted: str, status: int) -> bool:
    return str(status) == wanted or (wanted.endswith("xx") and status // 100 == int(wanted[0]))


def _curl(line: Json, base_url: str, secret: str) -> str:
    """A command that sends the request again, with the variable *secret* for a cut secret."""
    request = line["request"]
    query = f"?{request['query']}" if request["query"] else ""
    words = ["curl", "-X", request["method"], f"{base_url}{request['path']}{query}"]
    quoted = [shlex.quote(word) for word in words]
    for name, value in request["headers"].items():
        if name not in {"host", "content-length", "user-agent", "accept", "accept-encoding"}:
            quoted += ["-H", _quoted(f"{name}: {value}", f"${secret}")]
    text = request.get("body", {}).get("text")
    if text:
        quoted += ["--data-raw", shlex.quote(text)]
    return " ".join(quoted)


def _quoted(header: str, variable: str) -> str:
    """*header* for a shell, with *variable* where a secret was cut."""
    pieces = _CUT.split(header)
    if len(pieces) == 1:
        return shlex.quote(header)
    # The rest of the header comes from the client, so the shell must not interpret it.
    return f'"{variable.join(_SPECIAL.sub(_ESCAPED, piece) for piece in pieces)}"'


def _details(line: Json) -> Iterable[str]:
    yield from request_lines(line, sys.stdout)
    for finding in line.get("findings", ()):
        yield f"    rule: {finding['source']}"
    for name in ("request", "response"):
        body = line[name].get("body")
        text = body.get("text") if isinstance(body, dict) and "text" in body else body
        if text:
            shown = text if isinstance(text, str) else json.dumps(text)
            yield f"{name} body: {printable(shown)}"
    yield printable(line["curl"])
