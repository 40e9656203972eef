"""`screentest verify` and its sisters: exit codes, and what a look at the help costs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from screentest.contract_tests.runs.command import allowance
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.traces.trace_file import write_trace
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract
from tests.loopback import listening

from .hands import recording


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "screentest.mock_server.cli", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_kept_contract_exits_with_0_and_writes_reports(tmp_path: Path) -> None:
    report = tmp_path / "report.html"

    done = _run("verify", "ulazai", "--report", f"html:{report}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " kept, 0 broken, 0 not judged (100 % of " in done.stdout
    assert report.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (("verify", "vidgen"), 2, "no provider 'vidgen' (there are: oshara, ozor"),
        (("verify", "ozor", "--url", "https://ozor.ai"), 2, "Add --live if you mean it"),
        (("verify", "ozor", "--report", "pdf:x"), 2, "expected one of html, junit, ndjson"),
        (
            ("verify", "ozor", "--url", "http://127.0.0.1:9", "--api-key", "k"),
            3,
            "check that the server runs",
        ),
        (("verify", "ozor", "--url", "http://127.0.0.1:9"), 2, "no key was given"),
        (
            ("verify", "ozor", "--url", "http://127.0.0.1:9", "--api-key", "a\nb"),
            2,
            "the api_key of the owner has characters that no header can carry",
        ),
        (
            ("verify", "ozor", "--url", "http://127.0.0.1:9", "--second-api-key", "ä"),
            2,
            "the api_key of the stranger has characters that no header can carry",
        ),
        (("verify", "ulazai", "--seed", "9007199254740992"), 2, "is not in the range"),
        (
            ("verify", "ulazai", "--report", "html:/nowhere/x.html"),
            2,
            "cannot write /nowhere/x.html: its folder does not exist",
        ),
        (("verify", "ulazai", "--report", "html:/"), 2, "cannot write /: it is a folder"),
        (("verify", "ulazai", "--journal", "/"), 2, "cannot write /: it is a folder"),
        (
            ("verify", "ulazai", "--url", "http://127.0.0.1:9", "--journal", __file__),
            4,
            "is not a journal of open jobs",
        ),
        (("verify", "ulazai", "--journal", "open.json"), 2, "--journal needs --url"),
        (
            ("verify", "ulazai", "--url", "https://ulazai.com", "--live", "--fuzz", "1"),
            2,
            "the cost of made-up requests at a live target is unknown; limit it with --budget",
        ),
        (
            ("plan", "ulazai", "--only", "wlak"),
            2,
            "no scenario of tier full has 'wlak' in its name",
        ),
        (
            ("record", "ozor", "--url", "http://127.0.0.1:9", "--output", "/nowhere/x"),
            2,
            "cannot write /nowhere/x: its folder does not exist",
        ),
        (
            ("check-har", "ozor", "nothing.har"),
            2,
            "cannot read nothing.har: the file does not exist",
        ),
        (("check-har", "ozor", sys.executable), 4, "the file is not a recording: it is not UTF-8"),
        (
            ("verify", "ulazai", "--only", "wlak"),
            2,
            "no scenario of tier full has 'wlak' in its name",
        ),
        (
            ("verify", "ozor", "--budget", "0", "--only", "walk export"),
            5,
            "the budget ended the run",
        ),
    ],
)
def test_exit_codes_tell_what_happened(arguments: tuple[str, ...], code: int, detail: str) -> None:
    done = _run(*arguments)

    assert done.returncode == code, done.stdout + done.stderr
    assert detail in done.stderr


def test_the_plan_shows_the_bill_without_a_request() -> None:
    done = _run("plan", "ozor", "--tier", "smoke", "--url", "https://ozor.ai")

    assert done.returncode == 0
    assert "at worst 1 credits" in done.stdout


@pytest.mark.long
def test_the_plan_names_generated_requests_and_says_that_their_price_is_unknown() -> None:
    done = _run("plan", "ulazai", "--fuzz", "20", "--only", "made-up")
    bounded = _run("plan", "ulazai", "--fuzz", "20", "--only", "made-up", "--budget", "500")

    lines = [line.split() for line in done.stdout.splitlines()]
    assert [it[2:5] for it in lines if it[:1] == ["made-up"]] == [
        ["examples", "?", "credits"],
        ["coverage", "?", "credits"],
        ["fuzzing", "?", "credits"],
        ["stateful", "?", "credits"],
    ]
    assert "at worst 0 credits and what made-up requests cost, which --budget bounds" in done.stdout
    assert "at worst 500 credits, the budget" in bounded.stdout


@pytest.mark.parametrize(
    ("tier", "budget", "url", "limit"),
    [
        ("smoke", None, "https://ozor.ai", 1),
        ("smoke", 7, "https://ozor.ai", 7),
        ("smoke", None, "http://127.0.0.1:9", None),
    ],
)
def test_a_live_run_spends_no_more_than_its_plan_says(
    tier: str, budget: int | None, url: str, limit: int | None
) -> None:
    is_live = url.startswith("https")
    options = VerifyOptions("ozor", url=url, tier=tier, budget=budget, is_live=is_live)

    allowed = allowance(options, options.contract, load_checks(options.contract))

    assert allowed.limit == limit


def test_a_recording_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(recording("ozor"), path)

    done = _run("check-har", "ozor", str(path))

    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_a_recorder_that_is_ended_tells_what_it_has(tmp_path: Path) -> None:
    """Its log is empty: addresses may hold keys."""
    path = tmp_path / "trace.ndjson"
    contract = load_contract("ulazai")
    app = make_app(contract)
    key = InProcessTarget(app, contract).owner.keys["api_key"]
    arguments = ("record", "ulazai", "--port", "0", "--output", str(path), "--url")
    with listening(app) as port, _started(*arguments, f"http://127.0.0.1:{port}/ulazai") as ran:
        assert ran.stdout is not None
        address = ran.stdout.readline().split()[0]
        asked = Request(
            f"{address}/api/v1/sora/status/1/?key={key}", headers={"Authorization": f"Token {key}"}
        )
        with pytest.raises(HTTPError, match="404"):
            urlopen(asked, timeout=10)
        ran.terminate()
        out, err = ran.communicate(timeout=10)

    assert (ran.returncode, out, err) == (0, "", "1 exchanges recorded, 0 rules broken\n")
    assert len(path.read_text().splitlines()) == 2
    assert key not in path.read_text()


@contextmanager
def _started(*arguments: str) -> Generator[subprocess.Popen[str]]:
    """A command that goes on until the end of the block."""
    command = [sys.executable, "-m", "screentest.mock_server.cli", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as ran:
        try:
            yield ran
        finally:
            ran.kill()


@pytest.mark.parametrize(
    ("more", "code", "detail"),
    [
        (("--budget", "69"), 5, "may cost 70, 69 credits are left"),
        (("--read-only",), 2, "changes something (--read-only)"),
        (("--url", "http://127.0.0.1:9"), 2, "needs a key that the owner does not have"),
        (("--url", "http://127.0.0.1:9", "--api-key", "k"), 3, "http://127.0.0.1:9: "),
    ],
)
def test_a_replay_that_may_not_go_on_says_why(
    more: tuple[str, ...], code: int, detail: str, tmp_path: Path
) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(recording("ulazai"), path)

    done = _run("replay", "ulazai", str(path), *more)

    assert (done.returncode, done.stdout) == (code, "")
    assert detail in done.stderr
    assert [it.partition(":")[0] for it in done.stderr.splitlines()] in (
        ["error"],
        ["error", "hint"],
    )


def test_the_help_loads_neither_the_kit_nor_a_fuzzer() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['screentest', 'verify', '--help']\n"
        "from screentest.mock_server.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('schemathesis', 'hypothesis', 'flask', 'jsonschema_rs') "
        "if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
