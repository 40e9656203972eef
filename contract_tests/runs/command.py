"""The work of `screentest verify` and `screentest plan`, without the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract

from ..report.html import html_report
from ..report.junit import junit_report
from ..report.ndjson import ndjson_report
from ..report.profile import profile_report
from ..scenarios.readings import Memories
from ..scenarios.scenario import Scenario
from ..scenarios.verify import Ran, Result, obstacles, scenarios_of, verify
from ..sessions.deliveries import asked_field
from ..sessions.session import Session
from ..targets.guard import CreditBudget, Guarded
from ..targets.live import NotAllowedError, UnreachableError
from ..targets.needs import Need
from ..targets.open_jobs import JournalError, OpenJobs, journal_in, place_of
from ..targets.target import Target
from .fuzz import check_version
from .open_target import base_address, check_key, opener
from .options import VerifyOptions
from .phases import PHASES, run_phase

REPORTS: dict[str, Callable[[Result], str]] = {
    "html": html_report,
    "junit": junit_report,
    "ndjson": ndjson_report,
    "profile": profile_report,
}


class NothingChosenError(Exception):
    """No scenario matches the options."""


def run_verify(
    options: VerifyOptions, on_progress: Callable[[Scenario, Ran | None], None]
) -> Result:
    """Verify a provider, write the reports, and return the result.

    If the server stops, or after Ctrl+C, the run ends early, with the costs and the reports so far.

    Raises:
        NotAllowedError: the address is another machine's and `--live` was not given, or
            how much it may cost.
        NothingChosenError: no scenario has the name.
        KeyRefusedError: the server does not know the key.
        UnreachableError: no server answers there.
        JournalError: open jobs cannot be kept.
        ContractError: there is no such provider.
    """
    contract = options.contract
    checks = load_checks(contract)
    budget = allowance(options, contract, checks)
    chosen = choose(options, _all_scenarios(options, contract, checks))
    open_it = opener(options, contract, budget)
    open_jobs = _open_jobs(options, contract, open_it)
    is_remote = options.url is not None
    if is_remote:
        check_key(open_it, contract, checks)
    memories = Memories(open_it()) if is_remote else None
    result = verify(
        contract,
        checks,
        open_it,
        chosen,
        is_open=is_remote,
        is_shared=is_remote,
        seed=options.seed,
        on_progress=on_progress,
        open_jobs=open_jobs,
        ends_by=(UnreachableError, KeyboardInterrupt),
        lacks=options.supplied.lacks & {Need.BUDGET},
        on_begin=memories.begin if memories is not None else None,
    )
    if memories is not None:
        is_profiled = any(kind == "profile" for kind, _ in options.reports)
        memories.find(result, options.readings, is_profiled=is_profiled)
    result.spent, result.pending = budget.spent, budget.pending
    result.is_out_of_budget = budget.refused > 0
    secrets = options.secrets
    for kind, path in options.reports:
        path.write_text(secrets.cut(REPORTS[kind](result)), encoding="utf-8")
    return result


def _open_jobs(
    options: VerifyOptions, contract: Contract, open_it: Callable[[], Guarded]
) -> OpenJobs | None:
    """The store of open jobs; None for our own mock, whose jobs end with the run.

    Raises:
        JournalError: the file has other content, or there is no server whose jobs could continue.
    """
    given = {"--journal": options.journal, "--resume": options.resume}
    named = [name for name, path in given.items() if path is not None]
    if options.url is None:
        if named:
            raise JournalError(
                f"{named[0]} needs --url: our own mock forgets its jobs with the run"
            )
        return None
    if len(named) == 2:
        raise JournalError("--resume keeps open jobs as well; leave out --journal")
    if options.resume is not None:
        if options.fuzz:
            raise JournalError("--resume cannot continue made-up requests; leave out --fuzz")
        return None
    keys = [it for it in (options.api_key, options.bearer) if it]
    place = place_of(contract.provider, base_address(options.url, contract), keys)
    path = options.journal
    if path is None and options.is_live and options.state_folder is not None:
        path = journal_in(options.state_folder, place)
    return None if path is None else OpenJobs(path, place, open_it().adopt)


def allowance(options: VerifyOptions, contract: Contract, checks: Checks) -> CreditBudget:
    """The budget that was given, or the highest cost of the plan at a live target.

    Raises:
        NotAllowedError: generated requests have no highest cost, and no budget was given.
        NothingChosenError: no scenario was chosen.
    """
    if options.budget is not None or options.url is None or not options.is_live:
        return CreditBudget(options.budget)
    has_money = contract.behaviour.initial_credits is not None
    if options.fuzz and has_money:
        raise NotAllowedError(
            "the cost of made-up requests at a live target is unknown; limit it with --budget"
        )
    return CreditBudget(worst_cost(options, choose(options, scenarios_of(contract, checks))))


def worst_cost(options: VerifyOptions, chosen: Sequence[Scenario]) -> int:
    """The highest cost of the *chosen* scenarios at the target of *options*."""
    costs = [it.cost for it in chosen if _is_for(options, it)]
    # The tier smoke shares its one paid job; other sharing depends on the server's answers.
    is_shared = options.url is not None and options.tier == "smoke"
    return max(costs, default=0) if is_shared else sum(costs)


def _is_for(options: VerifyOptions, scenario: Scenario) -> bool:
    return not obstacles(scenario, options.supplied)


def _all_scenarios(options: VerifyOptions, contract: Contract, checks: Checks) -> list[Scenario]:
    found = scenarios_of(contract, checks)
    return found + made_up(options, contract) if options.fuzz else found


def made_up(options: VerifyOptions, contract: Contract) -> list[Scenario]:
    """Generated requests as further scenarios, one for each phase. The guard limits their cost.

    Raises:
        FuzzUnavailableError: schemathesis is not installed.
    """
    check_version()
    requests = options.fuzz * len(contract.operations)

    def run(phase: str) -> Callable[[Session], None]:
        return lambda session: run_phase(session, phase, seed=options.seed, examples=options.fuzz)

    return [
        Scenario(
            f"made-up requests: {phase}",
            detail,
            run(phase),
            requests=requests,
            is_smoke=True,
            is_made_up=True,
        )
        for phase, detail in PHASES.items()
    ]


def choose(options: VerifyOptions, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios of a tier, cheap ones first; in smoke at most one of them costs credits.

    Raises:
        NothingChosenError: none of them has the name in the options.
    """
    wanted = [it for it in scenarios if options.only.lower() in it.name.lower()]
    if options.is_read_only:
        wanted = [it for it in wanted if it.cost == 0 or it.is_read_only or not it.needs_steering]
    if options.tier != "full":
        wanted = [it for it in wanted if it.is_smoke]
    if options.only and not wanted:
        raise NothingChosenError(
            f"no scenario of tier {options.tier} has {options.only!r} in its name"
        )
    return wanted


def open_target(options: VerifyOptions) -> Target:
    """The target of *options*, behind its guard.

    Raises:
        NotAllowedError: it is another machine, and `--live` was not given.
    """
    return opener(options, options.contract, CreditBudget(options.budget))()


def plan_lines(options: VerifyOptions) -> list[str]:
    """The scenarios of a run and their highest cost. Sends no request.

    Raises:
        NothingChosenError: no scenario has the name.
    """
    contract = options.contract
    checks = load_checks(contract)
    chosen = [
        it
        for it in choose(options, _all_scenarios(options, contract, checks))
        if _is_for(options, it)
    ]
    has_money = contract.behaviour.initial_credits is not None
    lines = [f"{contract.provider}  tier {options.tier}", ""]
    for scenario in chosen:
        cost = "?" if scenario.is_made_up and has_money else str(scenario.cost)
        lines.append(f"  {scenario.name:<40} {cost:>6} credits  {scenario.requests:>4} requests")
    worst, bound = worst_cost(options, chosen), options.budget
    is_open = has_money and any(it.is_made_up for it in chosen)
    if bound is not None and (is_open or worst > bound):
        detail = f"{bound} credits, the budget"
    elif is_open:
        detail = f"{worst} credits and what made-up requests cost, which --budget bounds"
    else:
        detail = f"{worst} credits"
    requests = sum(it.requests for it in chosen)
    wall_ms = sum(it.wall_ms for it in chosen)
    lines += [
        "",
        f"at worst {detail}, about {requests} requests,"
        f" {wall_ms // 1_000} s of the provider's time",
        *_callback_lines(options, contract),
    ]
    return lines


def _callback_lines(options: VerifyOptions, contract: Contract) -> Iterator[str]:
    """What the user enters at the provider before the run, so that webhooks arrive."""
    rules, url = contract.behaviour.webhooks, options.callback_url
    if rules is None or not url:
        return
    field = asked_field(rules)
    if field is not None:
        yield f"webhooks: requests name {url} in the field {field}; nothing is to be entered"
    else:
        events = ", ".join(sorted(rules.events))
        yield f"webhooks: enter {url} at the provider, for the events {events}"
    if rules.is_signed and not options.callback_secret:
        yield "webhooks: pass the secret that the provider shows with --callback-secret"
