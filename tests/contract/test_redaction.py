"""No report, trace or message contains a key, whatever its form and wherever a server puts it.

The keys here have no form of a provider's, and letters that every format writes in another way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from screentest.specs.contracts.redaction import Secrets
from screentest.specs.contracts.registry import load_contract
from tests.loopback import listening

CANARIES = ("hunter2-my-secret", 'owner\'s "key" & <co>/=', "bearer-canary-of-mine")


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that returns what it was sent, in the headers, the body and its field names.

    It adds keys that no request had, since a server knows its accounts.
    """

    def app(environ: Any, start: Any) -> Iterable[bytes]:
        sent = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        detail = {"sent": sent, "detail": " ".join(CANARIES), CANARIES[0]: [json.dumps(sent)]}
        start("200 OK", [("Content-Type", "application/json"), ("X-Echo", CANARIES[0])])
        return [json.dumps(detail).encode()]

    with listening(app) as port:
        yield f"http://127.0.0.1:{port}"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "screentest.mock_server.cli", *arguments]
    return subprocess.run(
        command, env={**os.environ}, capture_output=True, text=True, check=False, timeout=120
    )


def _canaries_in(text: str) -> list[str]:
    """The middle of a key counts too, for formats that write its other letters differently."""
    return [
        it
        for it in (
            "hunter2-my-secret",
            "owner's",
            "key\\",
            "<co>",
            "&lt;co",
            "%3Cco",
            "bearer-canary-of-mine",
        )
        if it in text
    ]


def test_a_key_is_cut_out_in_every_spelling() -> None:
    secrets = Secrets(load_contract("ulazai").behaviour, CANARIES)
    key = CANARIES[1]
    spellings = [key, json.dumps({"a": key}), json.dumps(json.dumps(key)), f"x{key}y"]

    assert [_canaries_in(secrets.cut(it)) for it in spellings] == [[], [], [], []]
    assert secrets.cut_bytes(b"\xff" + key.encode()) == b"\xff[redacted]"


def test_a_text_too_short_for_a_key_and_digits_of_a_longer_number_stay() -> None:
    secrets = Secrets(load_contract("ulazai").behaviour, ("k", "true", "123456"))

    assert secrets.cut('{"k": true, "at": 1234567, "key": "123456"}') == (
        '{"k": true, "at": 1234567, "key": "[redacted]"}'
    )


@pytest.mark.long
def test_no_report_shows_a_key_that_was_given(echo: str, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("html", "junit", "ndjson")}
    reports = [part for kind, it in files.items() for part in ("--report", f"{kind}:{it}")]
    journal = tmp_path / "open.json"

    done = _run(
        "verify",
        "ulazai",
        "--url",
        echo,
        "--api-key",
        CANARIES[0],
        "--second-api-key",
        CANARIES[1],
        "--bearer",
        CANARIES[2],
        "--journal",
        str(journal),
        *reports,
    )

    detail = {kind: path.read_text() for kind, path in files.items()}
    kept = journal.read_text() if journal.exists() else ""
    assert done.returncode == 1, done.stderr
    assert [_canaries_in(it) for it in (done.stdout, done.stderr, kept, *detail.values())] == [
        []
    ] * 6
    assert "[redacted]" in detail["html"]
    assert all(json.loads(line)["type"] for line in detail["ndjson"].splitlines())
    assert ElementTree.fromstring(detail["junit"]).tag == "testsuites"


def test_no_trace_shows_a_key_that_was_sent_again(echo: str, tmp_path: Path) -> None:
    old, new = tmp_path / "old.ndjson", tmp_path / "new.ndjson"
    line = {
        "actor": "owner",
        "key": "owner#0",
        "at_ms": 0,
        "ended_ms": 0,
        "method": "GET",
        "path": "/api/v1/sora/status/1/",
        "query": "",
        "request_headers": {},
        "request_body": "",
        "status": 200,
        "headers": {},
        "body": "",
    }
    head = {"trace": 1, "provider": "ulazai"}
    old.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")

    done = _run(
        "replay",
        "ulazai",
        str(old),
        "--url",
        echo,
        "--api-key",
        CANARIES[0],
        "--second-api-key",
        CANARIES[1],
        "--bearer",
        CANARIES[2],
        "--output",
        str(new),
    )

    assert done.returncode == 1, done.stderr
    assert [_canaries_in(it) for it in (done.stdout, done.stderr, new.read_text())] == [[], [], []]


def test_no_verdict_on_a_har_file_shows_a_key_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "some.har"
    entry = {
        "startedDateTime": "2026-11-21T10:00:00Z",
        "time": 1,
        "request": {
            "method": "GET",
            "url": f"https://ulazai.com/api/v1/sora/status/1/?again={CANARIES[0]}",
            "headers": [{"name": "Authorization", "value": f"Token {CANARIES[0]}"}],
        },
        "response": {
            "status": 200,
            "headers": [],
            "content": {"mimeType": "application/json", "text": json.dumps({CANARIES[0]: 1})},
        },
    }
    path.write_text(json.dumps({"log": {"entries": [entry]}}))

    done = _run("check-har", "ulazai", str(path))

    assert done.returncode == 1, done.stderr
    assert "[redacted]" in done.stdout
    assert _canaries_in(done.stdout + done.stderr) == []
