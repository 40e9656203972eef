"""What the `screentest verify` and `screentest plan` commands do, without the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from screentest.specs.checks import load_checks
from screentest.specs.contract import Contract, load_contract

from .fuzz import check_version
from .guard import Budget, Guarded
from .in_process import InProcess, make_app
from .judge import Judge
from .live import Live, check_address, identity
from .open_jobs import OpenJobs
from .phases import PHASES, run_phase
from .report.html import html_report
from .report.junit import junit_report
from .report.ndjson import ndjson_report
from .rules import names_needed, rules_of
from .scenarios.scenario import Scenario
from .session import Session
from .target import Target
from .trace import without_keys
from .verify import Ran, Result, scenarios_of, verify
from .wires import UnableError

REPORTS: dict[str, Callable[[Result], str]] = {
    "html": html_report,
    "junit": junit_report,
    "ndjson": ndjson_report,
}
#: What each tier may spend on a live target unless told otherwise: smoke pays for one job.
TIERS = ("smoke", "full")


class KeyRefusedError(Exception):
    """Nothing can be judged with the key that was given."""


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody asked for. *url* None means our own mock, in process."""

    provider: str
    url: str | None = None
    api_key: str = ""
    second_api_key: str = ""
    bearer: str = ""
    tier: str = "full"
    budget: int | None = None
    is_read_only: bool = False
    is_live: bool = False
    time_scale: float = 1.0
    patience_ms: int = 10 * 60_000
    seed: int = 1
    only: str = ""
    fuzz: int = 0
    journal: Path | None = None
    reports: Sequence[tuple[str, Path]] = field(default_factory=tuple[tuple[str, Path], ...])


def run_verify(options: Options, on_progress: Callable[[Scenario, Ran | None], None]) -> Result:
    """Verify a provider, write the reports, and return the result.

    Raises:
        NotAllowedError: the address is another machine's, and nobody said that this is meant.
        KeyRefusedError: somebody does, and does not know the key.
        UnreachableError: nobody answers there.
        ContractError: there is no such provider.
    """
    contract = load_contract(options.provider)
    checks = load_checks(options.provider)
    budget = Budget(options.budget)
    chosen = choose(options, scenarios_of(contract, checks))
    if options.fuzz:
        chosen += made_up(options)
    is_remote = options.url is not None
    open_it = _opener(options, contract, budget)
    if is_remote:
        check_key(Session(open_it(), contract, checks, Judge(rules_of(contract, checks))))
    result = verify(
        contract, checks, open_it, chosen, is_open=is_remote,
        is_shared=is_remote, seed=options.seed, on_progress=on_progress,
        open_jobs=OpenJobs(options.journal) if options.journal is not None else None,
    )  # fmt: skip
    result.spent, result.pending = budget.spent, budget.pending
    result.is_out_of_budget = budget.refused > 0
    for kind, path in options.reports:
        text = without_keys(REPORTS[kind](result), contract.provider)
        path.write_text(text, encoding="utf-8")
    return result


def check_key(session: Session) -> None:
    """Ask for something with the owner's key, as without a key that works nothing can be judged.

    Raises:
        KeyRefusedError: there is no key, or the server does not know it.
    """
    refusals = session.contract.behaviour.refusals
    refused = {refusals[it].status for it in ("missing_credential", "unknown_credential")}
    for name, operation in session.contract.operations.items():
        if session.contract.behaviour.operations[name].effect != "read" or not operation.security:
            continue
        made_up_ids = dict.fromkeys(names_needed(operation, session.plan(name)), "0")
        try:
            found = session.call(name, ids=made_up_ids)
        except UnableError:
            continue
        if found.status not in refused:
            return
        raise KeyRefusedError(f"{found.line}: the server does not know the key")
    raise KeyRefusedError("no key was given that any operation takes; use --api-key or --bearer")


def made_up(options: Options) -> list[Scenario]:
    """Made-up requests as more scenarios, one a phase; what they cost is the guard's to say.

    Raises:
        FuzzUnavailableError: schemathesis is not there.
    """
    check_version()

    def run(phase: str) -> Callable[[Session], None]:
        return lambda session: run_phase(session, phase, seed=options.seed, examples=options.fuzz)

    return [Scenario(f"made-up requests: {phase}", told, run(phase))
            for phase, told in PHASES.items()]  # fmt: skip


def choose(options: Options, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios of a tier, cheap ones first; in smoke at most one of them pays."""
    wanted = [it for it in scenarios if options.only.lower() in it.name.lower()]
    if options.is_read_only:
        wanted = [it for it in wanted if it.cost == 0 or it.is_read_only or not it.needs_levers]
    if options.tier == "full":
        return wanted
    return [it for it in wanted if it.is_smoke]


def _opener(options: Options, contract: Contract, budget: Budget) -> Callable[[], Target]:
    if options.url is None:
        app = make_app(contract)
        return lambda: Guarded(
            InProcess(app, contract, options.seed), contract, budget, options.is_read_only
        )
    check_address(options.url, is_live=options.is_live)
    more = {"bearer": options.bearer} if options.bearer else {}
    second = options.second_api_key
    live = Live(
        options.url.rstrip("/"),
        identity("owner", options.api_key, more),
        identity("stranger", second, {}) if second else None,
        options.time_scale,
        options.patience_ms,
    )
    guarded = Guarded(live, contract, budget, options.is_read_only)
    return lambda: guarded


def open_target(options: Options) -> Target:
    """The target of *options*, guarded as they say.

    Raises:
        NotAllowedError: it is another machine, and nobody said that this is meant.
    """
    return _opener(options, load_contract(options.provider), Budget(options.budget))()


def plan_lines(options: Options) -> list[str]:
    """What a run would do, and what it would cost at worst, without a single request."""
    contract, checks = load_contract(options.provider), load_checks(options.provider)
    chosen = choose(options, scenarios_of(contract, checks))
    lines = [f"{contract.provider}  tier {options.tier}", ""]
    costs: list[int] = []
    requests = wall_ms = 0
    for scenario in chosen:
        if options.url is not None and scenario.needs_levers:
            continue
        lines.append(
            f"  {scenario.name:<40} {scenario.cost:>6} credits  {scenario.requests:>4} requests"
        )
        costs.append(scenario.cost)
        requests += scenario.requests
        wall_ms += scenario.wall_ms
    # A quick look shares its one paid job; what else is shared depends on the server's answers.
    is_shared = options.url is not None and options.tier == "smoke"
    worst = max(costs, default=0) if is_shared else sum(costs)
    lines += [
        "",
        f"at worst {worst} credits, about {requests} requests, "
        f"{wall_ms // 1_000} s of the provider's time",
    ]
    return lines
