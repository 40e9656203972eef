"""A run is continued from its file: nothing is asked or paid twice, and no rule breaks by that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.runs.command import run_verify, worst_cost
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.open_jobs import JobPlace, JournalError, place_of
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.contract_tests.targets.run_log import RunLog
from screentest.contract_tests.targets.target import Identity, OutgoingRequest
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract

HERE = place_of("ozor", "http://127.0.0.1:1", ["a-key"])
PATIENCE_MS = 600_000
HOUR_MS = 3_600_000
KEPT, OPEN = RuleVerdict.KEPT, RuleVerdict.NOT_JUDGED


class KilledError(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Server(PlainTarget):
    """A mock without controls; the run is killed at the requests of *kills*, counted from 1.

    With a positive number before the server has the request, else after its answer.
    """

    kills: Iterator[int] = field(default_factory=lambda: iter(()))
    sent: int = 0
    accounts: list[Identity] = field(default_factory=list[Identity])
    _next: int = 0

    def _account(self, name: str, credits: int, tier: str | None = None) -> Identity:
        made = PlainTarget._account(self, name, credits, tier)
        self.accounts.append(made)
        return made

    def start(self) -> None:
        """A process starts."""
        self.sent, self._next = 0, next(self.kills, 0)

    def send(self, wire: OutgoingRequest) -> Raw:
        self.sent += 1
        if self.sent == self._next:
            raise KilledError
        raw = PlainTarget.send(self, wire)
        if self.sent == -self._next:
            raise KilledError
        return raw

    @property
    def spent(self) -> int:
        """What the server has charged to the owner."""
        return 1_000_000 - self.mock.controls.balance(self.accounts[0]).total


def _server(contract: Contract, *kills: int, has_others: bool = False) -> Server:
    mock = InProcessTarget(make_app(contract), contract)
    return Server(mock, has_others, kills=iter(kills))


def _scenarios(contract: Contract, *names: str) -> list[Scenario]:
    found = scenarios_of(contract, load_checks(contract))
    return [it for it in found if it.name.startswith(names)]


def _run(
    path: Path, server: Server, chosen: list[Scenario], limit: int | None = None
) -> tuple[Result, CreditBudget]:
    """One process of the run in the file *path*."""
    server.start()
    contract, budget = server.mock.contract, CreditBudget(limit)
    log = RunLog(path, HERE, "", server.now_ms(), PATIENCE_MS)
    if server.callback is not None:
        server.mock.controls.inbox.on_taken = log.delivered
    target = Guarded(server, contract, budget, log=log)
    checks = load_checks(contract)
    with closing(log):  # as the end of a process does
        found = verify(contract, checks, lambda: target, chosen, is_open=True, is_shared=True)
    return found, budget


def _verdicts(result: Result) -> dict[str, RuleVerdict]:
    return {it: result.judge.verdict(it) for it in result.judge.rules}


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    contract = load_contract("ulazai")
    server, chosen = _server(contract), _scenarios(contract, "credentials of", "walk")

    first, _ = _run(tmp_path / "run.json", server, chosen)
    asked, charged = server.sent, server.spent
    second, budget = _run(tmp_path / "run.json", server, chosen)

    assert (asked > 10, server.sent) == (True, 0)
    assert _verdicts(second) == _verdicts(first)
    assert second.requests == first.requests
    assert (server.spent, budget.spent) == (charged, 70)


def test_a_long_wait_parks_its_scenario_and_says_when_to_come_back(tmp_path: Path) -> None:
    contract = load_contract("ozor")
    server, chosen = _server(contract), _scenarios(contract, "files of export")
    path, rule = tmp_path / "run.json", "url.download.lives"

    first, _ = _run(path, server, chosen)
    server.wait(21 * HOUR_MS + 40 * 60_000)
    second, _ = _run(path, server, chosen)
    server.wait(3 * HOUR_MS)
    third, budget = _run(path, server, chosen)

    assert [it.not_before for it in (first, second, third)] == [
        "2026-01-01T21:37Z",
        "2026-01-02T00:01Z",
        "2026-02-01T00:41Z",
    ]
    assert [it.judge.verdict(rule) for it in (first, second, third)] == [OPEN, OPEN, KEPT]
    assert (server.spent, budget.spent) == (1, 1)
    assert first.ran[0].lacks == {"--resume, not before 2026-01-01T21:37Z"}


def test_who_comes_back_too_late_judges_nothing_wrongly(tmp_path: Path) -> None:
    contract = load_contract("ozor")
    server, chosen = _server(contract), _scenarios(contract, "files of export")

    _run(tmp_path / "run.json", server, chosen)
    server.wait(40 * HOUR_MS)
    late, _ = _run(tmp_path / "run.json", server, chosen)

    assert late.ran[0].unable == "the run continued after the end of the address"
    assert (late.judge.findings, late.judge.verdict("url.download.lives")) == ([], OPEN)


def test_an_interrupted_scenario_goes_on_later_and_breaks_nothing(tmp_path: Path) -> None:
    contract = load_contract("ozor")
    chosen = _scenarios(contract, "walk agent_job")
    server = _server(contract, 4)

    with pytest.raises(KilledError):
        _run(tmp_path / "run.json", server, chosen)
    server.wait(5 * HOUR_MS)
    later, budget = _run(tmp_path / "run.json", server, chosen)

    assert (later.judge.findings, later.judge.differs) == ([], {})
    assert (server.spent, budget.spent) == (1, 1)


def test_repetitions_over_hours_are_judged_by_runs_that_come_back_for_each(tmp_path: Path) -> None:
    contract = load_contract("ugc_copilot")
    server = _server(contract, has_others=True)
    chosen = _scenarios(contract, "repeated hooks")
    receiver = server.mock.controls.inbox
    waits: list[str] = []

    for hours in (0, 0.45, 1.95, 5.95):
        receiver.answers, receiver.about = [500] * 9, ""
        receiver.on_taken = lambda delivery: None  # no run listens
        server.wait(int(hours * HOUR_MS))
        found, _ = _run(tmp_path / "run.json", server, chosen)
        waits.append(found.not_before)

    assert len(set(waits)) == 4
    assert (waits[-1], found.judge.findings) == ("", [])
    assert found.judge.verdict("hook.retries") is KEPT
    assert found.judge.verdict("hook.id") is KEPT


# The file


def test_the_file_has_no_key_of_a_request_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    contract = load_contract("ozor")
    server, path = _server(contract), tmp_path / "run.json"

    _run(path, server, _scenarios(contract, "walk agent_job"))

    text = path.read_text()
    assert [it for it in server.owner.keys.values() if it in text] == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_is_asked_again(tmp_path: Path) -> None:
    contract = load_contract("ozor")
    server, chosen = _server(contract), _scenarios(contract, "credentials of")
    path = tmp_path / "run.json"
    first, _ = _run(path, server, chosen)
    lines = path.read_bytes().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if b'"answered"' in line)
    path.write_bytes(b"".join(lines[:last]) + lines[last][:40])

    second, _ = _run(path, server, chosen)

    assert server.sent >= 1
    assert _verdicts(second) == _verdicts(first)


@pytest.mark.parametrize("text", ["", "[]", '{"open_jobs": []}', '{"type": "done", "part": "x"}\n'])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)

    with pytest.raises(JournalError, match="is not the file of a run; name another file"):
        RunLog(path, HERE, "", 0, PATIENCE_MS)

    assert path.read_text() == text


@pytest.mark.parametrize(
    ("place", "options"),
    [(HERE, "--tier smoke"), (place_of("ozor", "http://127.0.0.1:1", ["another-key"]), "")],
)
def test_the_file_of_another_run_is_refused(tmp_path: Path, place: JobPlace, options: str) -> None:
    RunLog(tmp_path / "run.json", HERE, "", 0, PATIENCE_MS).close()

    with pytest.raises(JournalError, match="of another run: its server, account or options differ"):
        RunLog(tmp_path / "run.json", place, options, 0, PATIENCE_MS)


def test_two_runs_cannot_continue_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    first = RunLog(path, HERE, "", 0, PATIENCE_MS)

    with pytest.raises(JournalError, match="another run uses .*run.json, and two would pay twice"):
        RunLog(path, HERE, "", 0, PATIENCE_MS)

    first.close()
    RunLog(path, HERE, "", 0, PATIENCE_MS).close()


def test_killed_run_leaves_its_file_free(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    held = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(held, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holds it\n"
        with pytest.raises(JournalError, match="another run uses"):
            RunLog(path, HERE, "", 0, PATIENCE_MS)
        process.kill()

    RunLog(path, HERE, "", 0, PATIENCE_MS).close()


_HOLD = """
import sys, time
from pathlib import Path
from screentest.contract_tests.targets.open_jobs import place_of
from screentest.contract_tests.targets.run_log import RunLog

log = RunLog(Path(sys.argv[1]), place_of("ozor", "http://127.0.0.1:1", ["a-key"]), "", 0, 600_000)
print("holds it", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({"url": None}, "--resume needs --url"),
        ({"journal": Path("open.json")}, "--resume keeps open jobs as well; leave out --journal"),
        ({"fuzz": 5}, "--resume cannot continue made-up requests; leave out --fuzz"),
    ],
)
def test_what_cannot_be_continued_is_refused(
    tmp_path: Path, options: dict[str, Any], detail: str
) -> None:
    given: dict[str, Any] = {"url": "http://127.0.0.1:1", "api_key": "k", **options}

    with pytest.raises(JournalError, match=detail):
        run_verify(
            VerifyOptions("ozor", resume=tmp_path / "run.json", **given), lambda scenario, ran: None
        )


# Money

_NAMES = ("walk", "files", "edges of generate", "edges of start", "same", "end by")
_KILLS = st.lists(st.integers(-60, 60), max_size=6)


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["ozor", "ulazai", "ugc_copilot"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kills=_KILLS)
def test_a_run_that_is_killed_anywhere_never_spends_more_than_its_plan(
    provider: str, kills: list[int]
) -> None:
    _spends_no_more_than_its_plan(provider, kills, has_others=True)


@pytest.mark.parametrize("kills", [[-3], [3, -2], [-5, -5, -9]])
def test_a_killed_run_never_spends_more_than_its_plan(kills: list[int]) -> None:
    _spends_no_more_than_its_plan("ulazai", kills)


def _spends_no_more_than_its_plan(
    provider: str, kills: list[int], *, has_others: bool = False
) -> None:
    contract = load_contract(provider)
    chosen = _scenarios(contract, *_NAMES)
    worst = worst_cost(VerifyOptions(provider), chosen)
    server = _server(contract, *kills, has_others=has_others)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        for _ in kills:
            with suppress(KilledError):
                _run(path, server, chosen, worst)
            assert server.spent <= worst
        found, budget = _run(path, server, chosen, worst)

    assert found.judge.findings == []
    assert server.spent <= budget.spent + budget.reserved <= worst
