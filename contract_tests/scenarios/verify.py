"""Running scenarios against a target, and the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from screentest.specs.checks.checks import Checks
from screentest.specs.clauses.clauses import Clause
from screentest.specs.contracts.contract import Contract

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge, Rule, RuleVerdict
from ..rules.known import silence_of
from ..rules.prices import prices_of
from ..sessions.session import Session
from ..targets.guard import Guarded, SpentError
from ..targets.needs import Need, NeedError, UnableError
from ..targets.open_jobs import OpenJobs
from ..targets.run_log import LaterError
from ..targets.target import Target
from ..traces.trace import Trace
from .access import accesses
from .caps import caps
from .credentials import credentials
from .dry_account import dry_accounts
from .flows import flows
from .inputs import inputs
from .lists import lists
from .money import moneys
from .repeats import repeats
from .scenario import Scenario
from .sizes import sizes
from .streams import streams
from .walks import walks
from .webhooks import webhooks


@dataclass(frozen=True, slots=True)
class Ran:
    """One scenario that ran. *unable* says why it could not continue; empty if it did.

    *lacks* are the options that would let it go on. *ended_by* is the exception that ended the
    whole run during it. *not_before* is when a later run can continue it; empty if none can.
    """

    scenario: Scenario
    trace: Trace
    seconds: float
    unable: str = ""
    lacks: frozenset[str] = frozenset()
    ended_by: BaseException | None = None
    not_before: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """One scenario that was not tried, and the options without which it cannot run."""

    scenario: Scenario
    why: str
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Followed:
    """A reading that the server follows *instead_of* the chosen one; it explains *rules*.

    *is_asked* says that the user fixed the other one.
    """

    name: str
    value: str
    instead_of: str
    says: str
    rules: tuple[str, ...]
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Supplied:
    """What a run has: everything that it does not lack, and waits up to *patience_ms*."""

    lacks: frozenset[Need]
    patience_ms: int


@dataclass(slots=True)
class Result:
    """The result of a verification.

    *pending* credits are of jobs that were not seen to end. *fits* are the readings that fit.
    """

    contract: Contract
    checks: Checks
    target: str
    judge: Judge
    supplied: Supplied
    seed: int = 1
    ran: list[Ran] = field(default_factory=list[Ran])
    readings: list[Followed] = field(default_factory=list["Followed"])
    fits: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    skipped: list[Skipped] = field(default_factory=list["Skipped"])
    seconds: float = 0.0
    spent: int = 0
    pending: int = 0
    is_out_of_budget: bool = False
    ended_by: BaseException | None = None

    @property
    def requests(self) -> int:
        return sum(len(it.trace.exchanges) for it in self.ran)

    @property
    def coverage(self) -> str:
        """How many rules, and how many clauses of the provider's document, were judged."""
        rules, clauses = self.judge.rules, self.checks.clauses
        judged = len(rules) - len(self.judge.not_judged)
        # Rounded down: 100 % means that nothing is left.
        text = f"{100 * judged // len(rules)} % of {len(rules)} rules"
        if not clauses:
            return f"{text} judged"
        seen = len(clauses) - len(self.clauses_not_judged) - len(self.clauses_of_others)
        return (
            f"{text} and {seen} of {len(clauses)} clauses judged, "
            f"{len(self.clauses_of_others)} more bind clients or readers"
        )

    @property
    def judged_percent(self) -> float:
        """How many of the clauses that bind the server were judged; of its rules without any."""
        clauses = len(self.checks.clauses) - len(self.clauses_of_others)
        if not clauses:
            return 100 * (1 - len(self.judge.not_judged) / max(1, len(self.judge.rules)))
        return 100 * (1 - len(self.clauses_not_judged) / clauses)

    @property
    def clauses_not_judged(self) -> list[Clause]:
        """The clauses that bind the server and have no rule, or a rule that was not judged."""
        cited = {clause for rule in self.judge.rules.values() for clause in rule.clauses}
        is_open = {clause for rule in self.judge.not_judged for clause in rule.clauses}
        return [
            it
            for it in self.checks.clauses.values()
            if it.binds == "server" and (it.id in is_open or it.id not in cited)
        ]

    @property
    def clauses_of_others(self) -> list[Clause]:
        """The clauses that bind clients or readers, so that no server can break them."""
        return [it for it in self.checks.clauses.values() if it.binds != "server"]

    @property
    def bill(self) -> str:
        """The cost of the run."""
        if self.contract.behaviour.initial_credits is None:
            return "no credits in this contract"
        pending = (
            f", {self.pending} more if the jobs succeed that still run" if self.pending else ""
        )
        return f"{self.spent} credits spent{pending}"

    @property
    def is_broken(self) -> bool:
        return bool(self.judge.findings) or any(it.is_asked for it in self.readings)

    @property
    def not_before(self) -> str:
        """When a later run can continue the first scenario that waits; empty if none does."""
        return min((it.not_before for it in self.ran if it.not_before), default="")

    @property
    def ending(self) -> str:
        """Why the run ended before its end; empty when it did not."""
        return "" if self.ended_by is None else _reason_of(self.ended_by)

    def rules(self, verdict: RuleVerdict) -> list[Rule]:
        return [it for it in self.judge.rules.values() if self.judge.verdict(it.id) is verdict]


def scenarios_of(contract: Contract, checks: Checks) -> list[Scenario]:
    """Every scenario that the files of a contract require."""
    prices = prices_of(contract, checks)
    return [
        scenario
        # The largest requests take the longest, so they come last.
        for derive in (
            walks,
            accesses,
            lists,
            credentials,
            inputs,
            dry_accounts,
            moneys,
            streams,
            repeats,
            caps,
            webhooks,
            flows,
            sizes,
        )
        for scenario in derive(contract, checks, prices)
    ]


def verify(
    contract: Contract,
    checks: Checks,
    open_target: Callable[[], Target],
    scenarios: Sequence[Scenario],
    *,
    is_open: bool = False,
    is_shared: bool = False,
    open_jobs: OpenJobs | None = None,
    seed: int = 1,
    on_progress: Callable[[Scenario, Ran | None], None] = lambda scenario, ran: None,
    ends_by: tuple[type[BaseException], ...] = (),
    lacks: frozenset[Need] = frozenset(),
    on_begin: Callable[[Scenario, Session], None] | None = None,
) -> Result:
    """Run *scenarios* and judge what they show.

    *open_target* gives a new world for every scenario; with *is_shared* it is called once, so that
    scenarios share the resources that they paid for. *is_open* allows undocumented fields.
    *open_jobs* are those that an earlier run paid for, and that had not ended with it. An exception
    of *ends_by* ends the run with the results so far.
    """
    judge = Judge(
        rules_of(contract, checks), silence=silence_of(contract, checks) if is_open else None
    )
    started = time.perf_counter()
    target = open_target()
    supplied = Supplied(lacks | lacks_of(target, contract), target.patience_ms)
    result = Result(contract, checks, target.name, judge, supplied, seed)
    session = Session(target, contract, checks, judge, is_open, open_jobs=open_jobs)
    for number, scenario in enumerate(scenarios):
        if not is_shared and number:
            session.target.close()
            session = Session(open_target(), contract, checks, judge, is_open)
        missing = obstacles(scenario, supplied)
        if missing:
            result.skipped.append(Skipped(scenario, f"it needs {' and '.join(missing)}", missing))
            continue
        on_progress(scenario, None)
        if on_begin is not None:
            on_begin(scenario, session)
        ran = run_scenario(scenario, session, is_shared=is_shared, ends_by=ends_by)
        result.ran.append(ran)
        result.ended_by = ran.ended_by
        on_progress(scenario, ran)
        if result.ended_by is not None:
            result.skipped += [Skipped(it, result.ending) for it in scenarios[number + 1 :]]
            break
    if result.ended_by is None:
        session.target.close()
    result.seconds = time.perf_counter() - started
    return result


def lacks_of(target: Target, contract: Contract) -> frozenset[Need]:
    """What *target* does not have; one that can be steered has everything.

    Where no operation takes a key, all callers are one account.
    """
    if not any(it.security for it in contract.operations.values()):
        accounts = {Need.SECOND_ACCOUNT, Need.EMPTY_ACCOUNT}
        return frozenset({Need.STEERING, Need.BALANCE, Need.FAILURE, *accounts})
    if target.controls is not None:
        return frozenset()
    lacks = {Need.STEERING}
    lacks |= set() if target.sees_credits else {Need.BALANCE}
    lacks |= set() if target.prompts.failing else {Need.FAILURE}
    lacks |= set() if target.prompts.refused or target.is_mock else {Need.REFUSAL}
    lacks |= {Need.SECOND_ACCOUNT} if target.stranger is None else set()
    lacks |= {Need.EMPTY_ACCOUNT} if target.empty is None else set()
    lacks |= {Need.CALLBACK} if target.callback is None else set()
    return frozenset(lacks)


def obstacles(scenario: Scenario, supplied: Supplied) -> frozenset[str]:
    """The options without which *scenario* cannot run."""
    found = {it.value for it in scenario.needs & supplied.lacks}
    if scenario.longest_wait_ms > supplied.patience_ms:
        found.add(f"{Need.PATIENCE.value} {scenario.longest_wait_ms // 1_000}")
    return frozenset(found)


def run_scenario(
    scenario: Scenario,
    session: Session,
    *,
    is_shared: bool = False,
    ends_by: tuple[type[BaseException], ...] = (),
) -> Ran:
    """Run one scenario. If it cannot continue, it does not fail, and its rules are not judged."""
    session.judge.scenario = scenario.name
    session.begin_part(scenario.name)
    before = len(session.trace.events)
    started = time.perf_counter()
    unable, ended_by, lacks, not_before = "", None, frozenset[str](), ""
    try:
        with _in_haste(session, is_hasty=scenario.is_hasty):
            scenario.run(session)
    except UnableError as error:
        unable, lacks = str(error), _lacks_of(error)
        not_before = error.not_before if isinstance(error, LaterError) else ""
    except ends_by as error:
        unable, ended_by = _reason_of(error), error
    session.end_part(is_done=not unable)
    if ended_by is None:
        session.begin_part(f"end of {scenario.name}")
        with suppress(UnableError):
            session.resources.finish_all()
    if session.open_jobs is not None:
        session.open_jobs.end_scenario(is_done=not unable)
    trace = session.trace
    if is_shared:
        trace = Trace(session.contract.provider, session.trace.events[before:])
    session.judge.scenario = ""
    seconds = time.perf_counter() - started
    return Ran(scenario, trace, seconds, unable, lacks, ended_by, not_before)


@contextmanager
def _in_haste(session: Session, *, is_hasty: bool) -> Generator[None]:
    """Let no refusal be waited for that the scenario asks for."""
    hasty = [it for it in (session, session.target) if isinstance(it, Session | Guarded)]
    for it in hasty:
        it.is_hasty = is_hasty
    try:
        yield
    finally:
        for it in hasty:
            it.is_hasty = False


def _lacks_of(error: UnableError) -> frozenset[str]:
    if isinstance(error, LaterError):
        return frozenset({f"{Need.RESUME.value}, not before {error.not_before}"})
    if isinstance(error, NeedError):
        return frozenset({f"{error.need.value} {error.detail}".strip()})
    return frozenset({f"a larger {Need.BUDGET.value}"} if isinstance(error, SpentError) else ())


def _reason_of(error: BaseException) -> str:
    return "the run was interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
