"""Whatever a server charges, no run passes more paid work on than its budget covers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded, SpentError
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import UnreachableError
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.open_jobs import place_of
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.contract_tests.targets.run_log import RunLog
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract, read_contract

LANTERN = Path(__file__).parent.parent / "lantern"
HERE = place_of("lantern", "http://127.0.0.1:1", ["a-key"])
_ALL_CREDITS = 1_000_000


@dataclass(frozen=True)
class Prices:
    """What films cost by their length, and when."""

    short: int
    long: int
    moment: str

    def of(self, wire: OutgoingRequest) -> int:
        return self.long if json.loads(wire.body).get("length") == "long" else self.short

    def contract(self, folder: Path) -> Contract:
        """Lantern with these prices, in a new *folder*."""
        behaviour = yaml.safe_load((LANTERN / "behaviour.yaml").read_text())
        behaviour["operations"]["createFilm"]["price"] = {
            "amount": f"length == 'long' ? {self.long} : {self.short}",
            "defaults": {"length": "short"},
            "moment": self.moment,
            "source": "LN-009",
        }
        folder.mkdir()
        (folder / "behaviour.yaml").write_text(yaml.safe_dump(behaviour))
        (folder / "openapi.yaml").write_bytes((LANTERN / "openapi.yaml").read_bytes())
        return read_contract(folder)


class KilledError(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Server(PlainTarget):
    """A server with prices of its own. A run is killed at its request number *kills*.

    With a negative number after the answer. *accepted* are the paid requests that it took.
    """

    kills: Iterator[int] = field(default_factory=lambda: iter(()))
    accepted: list[OutgoingRequest] = field(default_factory=list[OutgoingRequest])
    _sent: int = 0
    _next: int = 0

    def start(self) -> None:
        self._sent, self._next = 0, next(self.kills, 0)

    def send(self, wire: OutgoingRequest) -> Raw:
        self._sent += 1
        if self._sent == self._next:
            raise KilledError
        raw = PlainTarget.send(self, wire)
        if (raw.method, raw.status) == ("POST", 201):
            self.accepted.append(wire)
        if self._sent == -self._next:
            raise KilledError
        return raw

    @property
    def spent(self) -> int:
        return _ALL_CREDITS - self.credits(self.owner)


_PRICES = st.builds(
    Prices, st.integers(0, 9), st.integers(0, 20), st.sampled_from(["acceptance", "completion"])
)
_SETTINGS: dict[str, Any] = {
    "phases": [Phase.generate],
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@pytest.mark.parametrize("count", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_no_run_pays_for_more_than_its_budget_or_its_plan(count: int) -> None:
    settings(max_examples=count, **_SETTINGS)(given(data=st.data())(_run_and_kill))()


def _run_and_kill(data: st.DataObject) -> None:
    listed, real = data.draw(_PRICES), data.draw(_PRICES)
    kills = data.draw(st.lists(st.integers(-60, 60), max_size=3))
    with TemporaryDirectory() as name:
        folder = Path(name)
        contract, sold = listed.contract(folder / "listed"), real.contract(folder / "real")
        chosen = scenarios_of(contract, load_checks(contract))
        worst = sum(it.cost for it in chosen)
        limit = data.draw(st.just(worst) | st.integers(0, worst))
        mock = InProcessTarget(make_app(sold), sold)
        server = Server(mock, has_others=False, kills=iter([*kills, 0]))
        for _ in [*kills, 0]:
            with suppress(KilledError):
                _run(folder / "run.json", server, contract, chosen, limit)

    _assert_held(server, listed, real, limit)


def _run(
    path: Path, server: Server, contract: Contract, chosen: list[Scenario], limit: int
) -> None:
    """One process of the run in the file *path*."""
    server.start()
    budget = CreditBudget(limit)
    with closing(RunLog(path, HERE, "", server.now_ms(), 600_000)) as log:
        target = Guarded(server, contract, budget, log=log)
        checks = load_checks(contract)
        verify(contract, checks, lambda: target, chosen, is_open=True, is_shared=True)
    assert budget.spent + budget.reserved <= limit


def _assert_held(server: Server, listed: Prices, real: Prices, limit: int) -> None:
    """By the list, what was accepted is within *limit*; and so is the bill, if no price is more."""
    assert sum(map(listed.of, server.accepted)) <= limit
    if real.short <= listed.short and real.long <= listed.long:
        assert server.spent <= limit


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_sixteen_threads_pass_no_more_on_than_the_budget_covers(count: int) -> None:
    settings(max_examples=count, **_SETTINGS)(given(data=st.data())(_pay_in_threads))()


@dataclass(slots=True)
class Lossy(Server):
    """A server whose answers to the requests of *lost* do not arrive."""

    lost: frozenset[int] = frozenset()

    def send(self, wire: OutgoingRequest) -> Raw:
        raw = Server.send(self, wire)
        if json.loads(wire.body)["number"] in self.lost:
            raise UnreachableError("the connection was cut")
        return raw


def _pay_in_threads(data: st.DataObject) -> None:
    listed, real = data.draw(_PRICES), data.draw(_PRICES)
    lengths = data.draw(st.lists(st.sampled_from(["short", "long"]), min_size=16, max_size=48))
    limit = data.draw(st.integers(0, 200))
    lost = data.draw(st.frozensets(st.integers(0, 47), max_size=8))
    with TemporaryDirectory() as name:
        folder = Path(name)
        contract, sold = listed.contract(folder / "listed"), real.contract(folder / "real")
        server = Lossy(InProcessTarget(make_app(sold), sold), has_others=False, lost=lost)
        guarded = Guarded(server, contract, CreditBudget(limit))
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {server.owner.keys['api_key']}",
        }

        def pay(number: int) -> None:
            body = json.dumps({"line": "A lamp", "length": lengths[number], "number": number})
            with suppress(SpentError, UnreachableError):
                guarded.send(OutgoingRequest("POST", "/films", "", headers, body.encode()))

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(pay, range(len(lengths))))

    assert guarded.budget.spent + guarded.budget.reserved <= limit
    _assert_held(server, listed, real, limit)
