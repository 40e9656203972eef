"""One table of exit codes for all verbs: each row is a verb, what happens to it, and its code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from screentest.contract_tests.traces.trace import Trace
from screentest.contract_tests.traces.trace_file import write_trace
from screentest.mock_server.cli.exit_codes import EXIT_CODES, Exit
from screentest.mock_server.cli.main import VERBS, main
from tests.contract.hands import recording
from tests.drafting.lamp import write_document

from .conftest import Shell

_UNUSED_PORT = "--url=http://127.0.0.1:9"
_WITH_KEY = (_UNUSED_PORT, "--api-key=k")

_OK: tuple[tuple[str, ...], ...] = (
    ("explain", "SC102"),
    ("spec", "lint", "ozor"),
    ("config",),
    ("completion", "bash"),
    ("plan", "ulazai"),
    ("diff", "ulazai", "paid.ndjson", "paid.ndjson"),
    ("check-har", "ulazai", "paid.ndjson"),
    ("replay", "ulazai", "paid.ndjson", "--budget=100000"),
    ("verify", "ulazai", "--quiet", "--tier=smoke"),
    ("run", "--", sys.executable, "-c", ""),
    ("new", "lamp", "--from=vendor.json"),
    ("new", "lamp", "--from=paid.ndjson", "--into=a/b"),
)
_FOUND: tuple[tuple[str, ...], ...] = (
    ("spec", "diff", "ozor", "vendor.json"),
    ("diff", "ulazai", "paid.ndjson", "other.ndjson"),
    ("check-har", "ulazai", "other.ndjson"),
    ("replay", "ulazai", "other.ndjson", "--budget=100000"),
)
_USAGE: tuple[tuple[str, ...], ...] = (
    ("srve",),
    ("serve", "--clock=fast"),
    ("serve", "--provider=ozr"),
    ("gauntlet", "http://127.0.0.1:1/"),
    ("explore", "--only=getVideo.1:cut", "--", "true"),
    ("explore", "--timeout=inf", "--", "true"),
    ("gauntlet", "http://127.0.0.1:1/", "--secret=x", "--within=1e9"),
    ("gauntlet", "http://127.0.0.1:1/", "--secret=\udcff"),
    ("gauntlet", "http://127.0.0.1:1/", "--secret=x", "--check=http://a b"),
    ("verify", "ozor", "--fail-under=nan"),
    ("run",),
    ("run", "--seed=-1", "--", "true"),
    ("env", "--shell=cmd"),
    ("clock", "advance", "soon"),
    ("jobs", "list", "--many"),
    ("trigger", "ozor", "finished"),
    ("credits", "set", "ozor", "many"),
    ("fault", "add", "http_error", "--times=never"),
    ("snapshot", "restore", "nowhere.jsonl"),
    ("webhooks", "listen", "--port=no"),
    ("logs", "--status=all"),
    ("explain", "SC999"),
    ("mcp", "--explored=nowhere.json"),
    ("doctor", "--now"),
    ("spec", "lint", "ozr"),
    ("spec", "diff", "ozr", "vendor.json"),
    ("spec", "diff", "ozor", "nowhere.json"),
    ("new", "lamp"),
    ("new", "Lamp", "--from=vendor.json"),
    ("new", "ozor", "--from=vendor.json", "--into=mine"),
    ("new", "spec", "--from=vendor.json"),
    ("new", "lamp", "--from=vendor.json", "--into=link"),
    ("new", "lamp", "--from=nowhere.json"),
    ("new", "lamp", "--from=vendor.json", "--only=getVidio"),
    ("config", "list"),
    ("completion", "dos"),
    ("verify", "ozr"),
    ("verify", "ozor", "--only=wlak"),
    ("verify", "ozor", "--reading=ozor.credit_hold=perhaps"),
    ("verify", "ozor", "--reading=ozor.credit_hald=reserve"),
    ("verify", "ozor", "--reading=reserve"),
    ("verify", "ozor", "--url=https://ozor.ai"),
    ("verify", "ozor", _UNUSED_PORT),
    ("plan", "ozr"),
    ("mutants", "list", "ozr"),
    ("plan", "ozor", "--reading=x=y"),
    ("check-har", "ozr", "text.har"),
    ("check-har", "ozor", "nowhere.har"),
    ("check-har", "ozor", "paid.ndjson", "--reading=x=y"),
    ("record", "ozr", _UNUSED_PORT, "--output=trace.ndjson"),
    ("record", "ozor", "--url=https://ozor.ai", "--output=trace.ndjson"),
    ("record", "ozor", _UNUSED_PORT, "--output=trace.ndjson", "--reading=x=y"),
    ("replay", "ulazai", "nowhere.ndjson"),
    ("replay", "ulazai", "paid.ndjson", "--read-only"),
    ("replay", "ulazai", "paid.ndjson", "--reading=x=y"),
    ("diff", "ulazai", "paid.ndjson", "nowhere.ndjson"),
)
_UNREACHABLE: tuple[tuple[str, ...], ...] = (
    ("env", _UNUSED_PORT),
    ("clock", _UNUSED_PORT),
    ("jobs", _UNUSED_PORT),
    ("trigger", "ozor", "completed", _UNUSED_PORT),
    ("credits", _UNUSED_PORT),
    ("fault", _UNUSED_PORT),
    ("snapshot", "save", "world.jsonl", _UNUSED_PORT),
    ("webhooks", _UNUSED_PORT),
    ("logs", _UNUSED_PORT),
    ("gauntlet", "http://127.0.0.1:1/", "--secret=x"),
    ("gauntlet", "http://127.0.0.1:1/", "--secret=x", "--check=printf '\\377'"),
    ("verify", "ozor", *_WITH_KEY),
    ("replay", "ulazai", "paid.ndjson", *_WITH_KEY),
)
_INVALID: tuple[tuple[str, ...], ...] = (
    ("spec", "lint", "spec"),
    ("explore", "--baseline=text.har", "--", "true"),
    ("explore", "--baseline=deep.json", "--", "true"),
    ("spec", "diff", "ozor", "text.har"),
    ("spec", "diff", "spec", "vendor.json"),
    ("new", "lamp", "--from=text.har"),
    ("new", "lamp", "--from=bytes.har"),
    ("new", "lamp", "--from=journal.json"),
    ("new", "lamp", "--from=/dev/zero"),
    ("new", "lamp", *["--from=vendor.json"] * 3),
    ("new", "lamp", "--from=vendor.json", "--har=text.har"),
    ("snapshot", "restore", "bytes.har"),
    ("snapshot", "restore", "/dev/zero"),
    ("check-har", "ulazai", "text.har"),
    ("check-har", "ulazai", "bytes.har"),
    ("check-har", "ozor", "paid.ndjson"),
    ("replay", "ulazai", "text.har"),
    ("diff", "ulazai", "paid.ndjson", "bytes.har"),
    ("verify", "ulazai", *_WITH_KEY, "--journal=journal.json"),
)
_BUDGET: tuple[tuple[str, ...], ...] = (
    ("verify", "ozor", "--quiet", "--budget=0", "--only=walk export"),
    ("replay", "ulazai", "paid.ndjson", "--budget=69"),
)
#: Every verb that reads a setting from pyproject.toml.
_CONFIGURED = ("serve", "jobs", "doctor")

_ROWS = [
    *((words, Exit.OK) for words in _OK),
    *((words, Exit.FOUND) for words in _FOUND),
    *((words, Exit.USAGE) for words in _USAGE),
    *((words, Exit.UNREACHABLE) for words in _UNREACHABLE),
    *((words, Exit.INVALID) for words in _INVALID),
    *((words, Exit.BUDGET) for words in _BUDGET),
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.har").write_text("not JSON")
    (tmp_path / "bytes.har").write_bytes(b"\x80\x04\x95")
    (tmp_path / "journal.json").write_text('{"some": "thing else"}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    write_document(tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "behaviour.yaml").write_text("behaviour: 1\n")
    trace = recording("ulazai")
    write_trace(trace, tmp_path / "paid.ndjson")
    _write_with_other_statuses(trace, tmp_path / "other.ndjson")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("SCREENTEST_API_KEY", "SCREENTEST_SECOND_API_KEY", "SCREENTEST_BEARER"):
        monkeypatch.delenv(name, raising=False)


def _write_with_other_statuses(trace: Trace, path: Path) -> None:
    """As *trace*, but every answer has a status that no operation documents."""
    write_trace(trace, path)
    head, *lines = map(json.loads, path.read_text().splitlines())
    changed = [{**it, "status": 418} if "status" in it else it for it in lines]
    path.write_text("".join(f"{json.dumps(it)}\n" for it in (head, *changed)))


def _code(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> int:
    """How the program ends; its own process would take a third of a second a row."""
    monkeypatch.setattr(sys, "argv", ["screentest", *words])
    try:
        main()
    except SystemExit as done:
        return 0 if done.code is None else int(done.code)
    return 0


@pytest.mark.parametrize(
    ("words", "code"), _ROWS, ids=lambda it: " ".join(it) if isinstance(it, tuple) else ""
)
def test_verb_ends_with_the_code_of_the_table(
    words: tuple[str, ...],
    code: Exit,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended = _code(words, monkeypatch)

    printed = capfd.readouterr().err
    assert ended == code, printed
    if code in (Exit.USAGE, Exit.UNREACHABLE, Exit.INVALID, Exit.BUDGET) and words[1:2] != (
        "lint",
    ):
        assert printed.splitlines()[-1].startswith(("error: ", "hint: "))
        assert "Traceback" not in printed


@pytest.mark.parametrize("verb", _CONFIGURED)
def test_invalid_settings_file_is_exit_code_4(shell: Shell, verb: str) -> None:
    """Settings are read once in a process, so each row needs a process of its own."""
    (shell.folder / "pyproject.toml").write_text("[tool.screentest]\nport = 'many'\nurl = 1\n")

    answer = shell.run(verb)

    assert (answer.code, answer.out) == (Exit.INVALID, "")
    assert answer.err.startswith("error: ")


def test_table_has_every_verb_and_every_code() -> None:
    verbs = {words[0] for words, _ in _ROWS} | set(_CONFIGURED)

    assert VERBS.keys() - verbs == set()
    # Interruption takes a signal: tests/contract/test_live.py sends it.
    assert EXIT_CODES.keys() - {code for _, code in _ROWS} == {Exit.INTERRUPTED}
