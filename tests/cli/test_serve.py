"""`screentest serve` as a person sees it: the banner, a line for every request, and the end."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Shell, send
from .serving import Served, serving_mock

_STOP_S_MAX = 1.0
_MARIONETTE = Path(__file__).parent.parent / "marionette"
_WAIT_S_MAX = 20.0


@pytest.fixture
def serving(shell: Shell) -> Iterator[Served]:
    """A mock whose clock is moved by hand."""
    with serving_mock(shell, "--clock", "manual", "--report") as served:
        yield served


def _without_times(lines: list[str]) -> list[str]:
    """Lines without the world's date, which is the day's, and without how long a call took."""
    dated = (re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in lines)
    return [re.sub(r"  \d+ ms", "", line) for line in dated]


# --- Request lines --------------------------------------------------------------------------------


def test_request_is_one_line_with_what_it_was_and_how_it_went(serving: Served) -> None:
    serving.send("GET", "/api/v1/videos")

    _, lines = serving.stop()

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  GET     ozor  /api/v1/videos  200  \d+ ms", lines[0]
    )


def test_refused_request_has_its_finding_below_it(serving: Served) -> None:
    serving.send("POST", "/api/v1/videos/generate", {})

    _, lines = serving.stop()

    assert _without_times(lines)[:2] == [
        "POST    ozor  /api/v1/videos/generate  400  validation",
        "  └ SC107 /prompt: expected a value, got nothing  fix: send 'prompt'",
    ]


def test_early_poll_has_its_advice_below_it_and_a_later_one_has_none(serving: Served) -> None:
    submitted = serving.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})[1]
    path = f"/api/v1/videos/{submitted['videoId']}/jobs/{submitted['jobId']}"
    for pause_ms in (2_000, 500, 2_000):
        serving.advance(pause_ms)
        serving.send("GET", path)

    _, lines = serving.stop()

    assert _without_times(lines) == [
        "POST    ozor  /api/v1/videos/generate  200",
        f"GET     ozor  {path}  200",
        f"GET     ozor  {path}  200",
        "  └ SC201 expected 2 s between polls, got 0.5 s  fix: wait 2 s between polls  (warning)",
        f"GET     ozor  {path}  200",
        "4 requests: 1 warning (SC201 ×1); see `screentest explain SC201`",
    ]


def test_what_a_client_sends_cannot_forge_a_line(serving: Served) -> None:
    serving.send("GET", "/api/%0a2026-01-01%20forged%1b%5b2J")

    _, lines = serving.stop()

    assert _without_times(lines)[0].endswith("\\x0a2026-01-01 forged\\x1b[2J  404  route")
    assert not any("\x1b" in line or line.startswith("2026-01-01 forged") for line in lines)


def test_quiet_mock_prints_no_requests_but_still_counts_them(shell: Shell) -> None:
    with serving_mock(shell, "--quiet", "--report") as served:
        served.send("GET", "/api/v1/vidoes")

        _, lines = served.stop()

    assert lines == ["1 request: 1 error (SC110 ×1); see `screentest explain SC110`"]


# --- The banner -----------------------------------------------------------------------------------


def test_banner_has_columns_within_eighty_characters(serving: Served) -> None:
    serving.stop()

    lines = (serving.folder / "out").read_text().splitlines()
    rows = [line for line in lines if " operations  " in line]
    assert [row.split()[0] for row in rows] == [
        "oshara",
        "ozor",
        "ugc_copilot",
        "ulazai",
        "znapai",
    ]
    for word in ("http://", " operations  "):
        assert len({row.index(word) for row in rows}) == 1
    shown = [line for line in lines if not line.startswith("  export ")]
    assert max(map(len, shown)) <= 80


@pytest.mark.parametrize(
    ("variable", "shown"), [("NO_COLOR", "  200  "), ("FORCE_COLOR", "  \x1b[32m200\x1b[0m  ")]
)
def test_colour_of_request_lines_is_forced_or_forbidden(
    shell: Shell, variable: str, shown: str
) -> None:
    with serving_mock(shell, **{variable: "1"}) as served:
        served.send("GET", "/api/v1/videos")

        _, lines = served.stop()

    assert shown in lines[0]
    assert "\x1b" not in (shell.folder / "out").read_text()


# --- The end --------------------------------------------------------------------------------------


def _open_stream(served: Served, is_open: threading.Event) -> None:
    url = f"{served.url}/_screentest/worlds/default/events"
    headers = {"Accept": "text/event-stream"}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_WAIT_S_MAX) as answer:
            for _ in answer.iter_bytes():
                is_open.set()
    except httpx.TransportError:
        return


@pytest.fixture
def in_threads() -> Iterator[Callable[..., None]]:
    """Starts threads that are over when the test is."""
    started: list[threading.Thread] = []

    def start(target: Callable[..., None], *arguments: Any) -> None:
        started.append(threading.Thread(target=target, args=arguments, daemon=True))
        started[-1].start()

    yield start
    for thread in started:
        thread.join(_WAIT_S_MAX)
        assert not thread.is_alive()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda it: it.name)
def test_stop_takes_less_than_a_second_with_streams_open_and_tells_the_verdict(
    serving: Served, in_threads: Callable[..., None], how: signal.Signals
) -> None:
    serving.send("GET", "/api/v1/videos")
    opened = [threading.Event() for _ in range(3)]
    for is_open in opened:
        in_threads(_open_stream, serving, is_open)
    assert all(is_open.wait(_WAIT_S_MAX) for is_open in opened)
    started = time.monotonic()

    code, lines = serving.stop(how)

    assert code == 0
    assert time.monotonic() - started < _STOP_S_MAX
    assert lines[-1] == "1 request, no findings"


def test_report_file_is_written_even_when_streams_are_cut(
    shell: Shell, in_threads: Callable[..., None]
) -> None:
    with serving_mock(shell, "--report-file", "report.json") as served:
        served.send("GET", "/api/v1/vidoes")
        is_open = threading.Event()
        in_threads(_open_stream, served, is_open)
        assert is_open.wait(_WAIT_S_MAX)

        served.stop()

    report = json.loads((shell.folder / "report.json").read_text())
    assert report["requests"] == 1
    assert report["findings"] == [{"code": "SC110", "severity": "error", "count": 1}]


@pytest.mark.long
def test_calls_that_have_arrived_are_answered_before_the_server_ends(
    shell: Shell, in_threads: Callable[..., None]
) -> None:
    answers: list[int] = []
    with serving_mock(shell) as served:
        delay = {"type": "latency", "attributes": {"delay_ms": 1_500}}
        assert served.control("POST", "/faults", delay)[0] == 201
        in_threads(lambda: answers.append(served.send("GET", "/api/v1/videos")[0]))
        assert _soon(lambda: served.control("GET", "/requests")[1]["items"])

        code, _ = served.stop(signal.SIGTERM)

    assert _soon(lambda: answers)
    assert (code, answers) == (0, [200])


def _soon(look: Callable[[], Any]) -> bool:
    """Whether *look* finds something before the test's patience ends."""
    ends = time.monotonic() + _WAIT_S_MAX
    while not look() and time.monotonic() < ends:
        time.sleep(0.02)
    return bool(look())


def test_log_can_be_json_objects(shell: Shell) -> None:
    with serving_mock(shell, "--log", "json", "--clock", "manual") as served:
        served.send("POST", "/api/v1/videos/generate", {})

        _, lines = served.stop()

    logged = json.loads(lines[0])
    took_ms = logged.pop("took_ms")
    assert isinstance(took_ms, float)
    assert logged.pop("at").endswith("Z")
    assert logged == {
        "level": "info",
        "world": "default",
        "id": "req_1",
        "provider": "ozor",
        "operation": "generateVideo",
        "method": "POST",
        "path": "/api/v1/videos/generate",
        "status": 400,
        "reason": "validation",
        "findings": ["SC107"],
    }


# --- Strictness -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "severity"), [((), 500, "error"), (("--no-strict",), 201, "warning")]
)
def test_reply_that_breaks_the_contract_is_sent_only_without_strictness(
    shell: Shell, words: tuple[str, ...], status: int, severity: str
) -> None:
    _package_broken_marionette(shell.folder)
    with serving_mock(shell, *words, PYTHONPATH=str(shell.folder)) as served:
        headers = {
            "X-Stage-Key": served.env["MARIONETTE_KEY"],
            "Content-Type": "application/json",
        }
        url = f"{served.env['MARIONETTE_BASE_URL']}/plays"
        answer = send("POST", url, {"title": "Faust"}, headers)
        (line,) = served.control("GET", "/requests")[1]["items"]

    assert answer[0] == status
    found = [(it["code"], it["severity"]) for it in line["findings"]]
    assert found == [("SC500", severity)]


def _package_broken_marionette(folder: Path) -> None:
    """Make a broken contract the only packaged one of every Python that starts with *folder*."""
    contract = folder / "contracts" / "marionette"
    contract.mkdir(parents=True)
    for name in ("openapi.yaml", "behaviour.yaml"):
        text = (_MARIONETTE / name).read_text()
        (contract / name).write_text(text.replace("      id: $id\n", "      id: 7\n"))
    (folder / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "import screentest.specs.contracts.contract as contract\n"
        f"contract.FOLDER = Path({str(contract.parent)!r})\n"
    )
