"""Flows of the checks: several calls in a row, and what each answer must show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.flows import Flow, Step
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import any_of
from ..rules.prices import worst_price
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..targets.plans import changed, fill_ids
from ..targets.request_builder import wire_of_plan
from ..targets.target import ANONYMOUS, Identity
from ..traces.expressions import evaluate, has_value, is_shown
from ..traces.mp4_probe import read_footage
from ..traces.trace import Exchange
from .scenario import STEERED, Scenario

#: Calls that wait for one condition; more than the longest documented job needs.
_POLLS_MAX = 400
_FPS_TOLERANCE = 0.01
_SHOWN_MAX = 200
_TEXT = "$text."


def flows(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """One scenario for each flow."""
    for flow in checks.flows.values():
        calls = [step for step in flow.steps if step.call]
        worst = sum(worst_price(contract, checks, it.call) * it.times for it in calls)
        yield Scenario(
            f"flow {flow.name}",
            flow.summary,
            _bound(flow),
            worst,
            sum(step.times for step in flow.steps),
            needs=_needs(flow, checks),
            longest_wait_ms=max((step.wait_ms for step in flow.steps), default=0),
        )


def _needs(flow: Flow, checks: Checks) -> frozenset[Need]:
    """What *flow* takes beside the owner's account."""
    changes = any(
        step.leaves or step.credits is not None or step.balance is not None for step in flow.steps
    )
    actors = {step.by for step in flow.steps}
    others = actors - {"anonymous", "empty"}
    if changes or flow.new_account or len(others) > 2:
        return STEERED
    needs = {Need.SECOND_ACCOUNT} if len(others) > 1 else set[Need]()
    needs |= {Need.EMPTY_ACCOUNT} if "empty" in actors else set()
    return frozenset(needs | ({Need.FAILURE} if any(it.fails for it in flow.steps) else set()))


def _bound(flow: Flow) -> Callable[[Session], None]:
    return lambda session: _Run(session, flow).run()


class _Run:
    """One run of a flow: the accounts that take part, and the values that its steps kept."""

    def __init__(self, session: Session, flow: Flow) -> None:
        self._session = session
        self._flow = flow
        self._kept: dict[str, Json] = {}
        self._actors: dict[str, Identity] = {"anonymous": ANONYMOUS}
        self._counted = [it for it in flow.steps if it.counts_credits]

    def run(self) -> None:
        for number, step in enumerate(self._flow.steps, start=1):
            for _ in range(step.times):
                if not self._step(number, step):
                    return
        if self._counted and not self._session.wallet.sees_balances:
            raise NeedError(Need.BALANCE)  # for what it costs

    def _who(self, name: str) -> Identity:
        if name not in self._actors:
            if name == "empty":
                return self._session.empty
            is_new = self._flow.new_account or not self._session.wallet.has_money
            if not self._session.is_steered:
                # The first actor is the owner, the other one has the second account.
                is_first = len(self._actors) == 1
                made = self._session.owner if is_first else self._session.stranger
            elif is_new:
                made = self._session.controls.new_identity(name)
            else:
                made = self._session.wallet.rich(name)
            self._actors[name] = made
        return self._actors[name]

    def _step(self, number: int, step: Step) -> bool:
        """Whether the flow can continue."""
        session, who = self._session, self._who(step.by)
        if step.credits is not None:
            session.wallet.set_credits(who, step.credits)
        if step.needs:
            self._kept |= session.resources.ready(step.needs, who=who).ids
        if step.wait_ms:
            session.target.wait(step.wait_ms)
        if step.leaves:
            self._leave(step, who)
            return True
        if step.fails and session.is_steered:
            session.controls.fail_next(who, step.call)
        counts = step.counts_credits and session.wallet.sees_balances
        before = session.wallet.balance(who).total if counts else 0
        answer = self._ask(step, who)
        problems = list(self._problems(step, answer))
        what = f"step {number}, {step.call or 'fetch'}"
        if counts:
            after = session.wallet.balance(who).total
            self._judge_credits(step, what, answer, _money_problems(step, before, after))
        detail = f"{what}: {'; '.join(problems)}"
        rule = rule_ids.flow(self._flow.name)
        holds = not problems
        is_last = number == len(self._flow.steps)
        # A rule is kept when all of its steps were.
        if is_last or not holds:
            session.judge.check(rule, detail, answer, holds=holds)
        self._kept |= {name: evaluate(at, answer) for name, at in step.keeps.items()}
        return holds

    def _judge_credits(
        self, step: Step, what: str, answer: Exchange, problems: Iterator[str]
    ) -> None:
        found = "; ".join(problems)
        if found or step is self._counted[-1]:
            rule = rule_ids.flow_credits(self._flow.name)
            self._session.judge.check(rule, f"{what}: {found}", answer, holds=not found)

    def _ask(self, step: Step, who: Identity) -> Exchange:
        session = self._session
        if step.fetch:
            return session.fetch(str(self._filled(step.fetch)))
        headers: Mapping[str, str] = self._filled(dict(step.headers))
        plan = self._plan(step)
        started_ms = session.target.now_ms()
        for _ in range(_POLLS_MAX):
            ids = {**self._kept, **step.ids}
            answer = session.call(step.call, plan, ids=ids, who=who, headers=headers)
            if all(self._shows(answer, at, wanted) for at, wanted in step.until.items()):
                return answer
            session.resources.pause(session.target.now_ms() - started_ms)
        raise UnableError(f"{step.call} did not show {dict(step.until)} in {_POLLS_MAX} calls")

    def _leave(self, step: Step, who: Identity) -> None:
        """Begin a stream and disconnect. Monitors cannot judge a part of a stream."""
        session, contract = self._session, self._session.contract
        session.controls.cut_next(who, step.call)
        operation = contract.operations[step.call]
        wire = wire_of_plan(contract, operation, self._plan(step), self._kept, who, {})
        session.target.send(wire)

    def _plan(self, step: Step) -> RequestPlan:
        plan = self._session.plan(step.call)
        if step.request is not None:
            plan = step.request
        if step.fails and not self._session.is_steered:
            plan = self._session.failing_plan(step.call, plan)
        if step.added or step.without:
            plan = changed(plan, self._filled(dict(step.added)), step.without)
        return replace(plan, form=self._filled(plan.form)) if plan.form is not None else plan

    def _filled(self, value: Json) -> Json:
        """*value* with kept values for `$ids.name`, and texts of N characters for `$text.N`."""
        if isinstance(value, str) and value.startswith(_TEXT):
            return "x" * int(value.removeprefix(_TEXT))
        if isinstance(value, dict):
            return {name: self._filled(it) for name, it in value.items()}
        if isinstance(value, list):
            return [self._filled(it) for it in value]
        return fill_ids(value, self._kept)

    def _shows(self, answer: Exchange, at: str, wanted: Json) -> bool:
        return is_shown(self._wish(answer, wanted), evaluate(at, answer))

    def _wish(self, answer: Exchange, wanted: Json) -> Json:
        """*wanted*; an expression is replaced by its value in the same answer."""
        if isinstance(wanted, str) and wanted.startswith("$response."):
            return evaluate(wanted, answer)
        if isinstance(wanted, dict):
            return {name: self._wish(answer, it) for name, it in wanted.items()}
        return self._filled(wanted)

    def _problems(self, step: Step, answer: Exchange) -> Iterator[str]:
        contract = self._session.contract
        wanted: tuple[int, ...] = (step.status,) if step.status is not None else ()
        if step.because:
            wanted = contract.refusal_statuses(step.because, answer.operation)
        if not (answer.status in wanted if wanted else answer.is_success):
            yield f"answered {answer.status}, not {any_of(wanted) or 'a success'}"
            return
        for at, value in step.shows.items():
            if not self._shows(answer, at, value):
                wish = self._wish(answer, value)
                found = repr(evaluate(at, answer))[:_SHOWN_MAX]
                yield f"{at} is {found}, not {wish!r}"
        if step.footage:
            yield from _footage_problems(step.footage, answer)
        for name, at in step.keeps.items():
            if not has_value(evaluate(at, answer)):
                yield f"{at} is missing, which is {name}"


def _footage_problems(wanted: Mapping[str, Json], answer: Exchange) -> Iterator[str]:
    footage = read_footage(answer.body)
    if footage.problem is not None:
        yield footage.problem
        return
    if "size" in wanted and [footage.width, footage.height] != wanted["size"]:
        yield f"the video is {footage.width}x{footage.height}, not {wanted['size']}"
    if "fps" in wanted and abs(footage.fps - wanted["fps"]) > _FPS_TOLERANCE:
        yield f"the video has {footage.fps} frames per second, not {wanted['fps']}"


def _money_problems(step: Step, before: int, after: int) -> Iterator[str]:
    if step.balance is not None and after != step.balance:
        yield f"the balance is {after}, not {step.balance}"
    if step.takes is not None and before - after != step.takes:
        yield f"it took {before - after} credits, not {step.takes}"
