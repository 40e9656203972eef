"""The whole life of a resource: lifecycles, files, failures, repeated requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.checks.views import MediaView
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import names_needed
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import Need, NeedError
from ..traces.expressions import evaluate, read_fact
from ..traces.mp4_probe import read_footage
from ..traces.trace import Exchange, Missing
from .addresses import address_of
from .scenario import Scenario, bound

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
#: A video may be this much longer or shorter than asked: one frame at 24 per second, and rounding.
_LENGTH_TOLERANCE_MS = 100


def walks(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about the life, the files, a failure and a repeat of each kind of resource."""
    for kind, make in checks.makes.items():
        cost, is_smoke = prices[kind], is_cheap(contract, checks, kind)
        resource = contract.behaviour.resources.get(kind)
        lifecycle = resource.lifecycle if resource is not None else None
        wall_ms = (
            sum(it.lasts_ms[1] for it in lifecycle.states.values() if it.lasts_ms)
            if (lifecycle is not None)
            else 0
        )
        if make.read is not None:
            yield Scenario(
                f"walk {kind}",
                f"make a {kind}, poll it to its end, look again later",
                bound(_walk, kind),
                cost,
                12,
                wall_ms,
                is_smoke=is_smoke,
            )
        views = checks.views.get(make.read or "", ())
        if make.content or any(it.urls or it.media for it in views if it.resource == kind):
            yield Scenario(
                f"files of {kind}",
                f"fetch every file of a finished {kind}",
                bound(_files, kind),
                cost,
                10,
                wall_ms,
                is_smoke=is_smoke,
            )
        if lifecycle is not None and lifecycle.simulated and make.read is not None:
            yield Scenario(
                f"failure of {kind}",
                f"make a {kind} fail, and look at it",
                bound(_failure, kind),
                cost,
                8,
                wall_ms,
                needs=frozenset({Need.FAILURE}),
            )
        if kind in checks.same_as_asked:
            yield Scenario(
                f"same {kind}",
                f"ask twice for the same {kind}",
                bound(_same, kind),
                cost,
                4,
                wall_ms,
            )


def is_cheap(contract: Contract, checks: Checks, kind: str) -> bool:
    """Whether *kind* needs no more than one paid job, the first kind of the checks."""
    first = next(iter(checks.makes))
    here: str | None = kind
    while here is not None:
        make = checks.makes[here]
        if here != first and contract.behaviour.operations[make.by].effect == "billable":
            return False
        here = make.needs
    return True


def cost_of(contract: Contract, checks: Checks, prices: Mapping[str, int], name: str) -> int:
    """The highest cost of the resource on which *name* acts."""
    names = names_needed(contract.operations[name], checks.requests.get(name, RequestPlan()))
    makes = [it for it in checks.makes.values() if names and names <= it.ids.keys()]
    return min((prices[it.kind] for it in makes), default=0)


def is_cheaply_read(contract: Contract, checks: Checks, name: str) -> bool:
    """Whether *name* only reads, and only a resource of the one paid job of the tier smoke."""
    if contract.behaviour.operations[name].effect != "read":
        return False
    names = names_needed(contract.operations[name], checks.requests.get(name, RequestPlan()))
    makes = [it for it in checks.makes.values() if names and names <= it.ids.keys()]
    return not names or any(is_cheap(contract, checks, it.kind) for it in makes[:1])


def _walk(session: Session, kind: str) -> None:
    lifecycle = session.contract.behaviour.lifecycle_of(kind)
    made = session.resources.ready(kind) if lifecycle is None or not lifecycle.simulated else None
    if made is None:
        made = session.resources.make(kind)
        _young(session, made)
        _early(session, made)
        _end(session, made)
        session.resources.keep(made)
    else:
        session.resources.read(made)
    for pause_ms in (0, _HOUR_MS, _DAY_MS):
        if session.is_short(pause_ms):
            session.target.wait(pause_ms)
            session.resources.read(made)


def _young(session: Session, made: Made) -> None:
    """A new resource has not ended in the answer that made it."""
    kind, state = made.make.kind, session.shown.kind_seen(made.make.kind, made.exchange)
    if state is not None and made.exchange.operation == made.make.by:
        detail = f"it was {state.value} in the answer that made it"
        session.judge.check_optional(
            rule_ids.life(kind, "lasts"), detail, made.exchange, holds=not state.is_final
        )


def _early(session: Session, made: Made) -> None:
    """Request the file of an unfinished resource."""
    content, kind = made.make.content, made.make.kind
    if content is None or content.early is None:
        return
    state = session.shown.kind_seen(kind, made.exchange)
    if state is not None and state.is_final:
        return  # It ended in the answer that made it.
    early = session.call(content.operation, ids=made.ids)
    if early.status != content.early:
        state = session.shown.kind_seen(kind, session.resources.read(made))
        if state is not None and state.is_final:
            return  # It ended while its file was requested.
    session.judge_refusal(
        rule_ids.content_early(kind),
        f"an unfinished {kind}",
        early,
        reason="wrong_state",
        wanted=[content.early],
    )


def _end(session: Session, made: Made) -> Exchange:
    """Poll *made* to its end, and judge whether it came in time."""
    kind = made.make.kind
    polls = session.resources.finish(made)
    last = polls[-1] if polls else made.exchange
    meaning = session.shown.kind_seen(made.make.kind, last)
    detail = f"it showed {session.shown.state_seen(made.make.kind, last)!r} at last"
    ended = meaning is not None and meaning.is_final
    session.judge.check_optional(
        rule_ids.life(kind, "ends"), detail, made.exchange, last, holds=ended
    )
    return last


def _failure(session: Session, kind: str) -> None:
    who = session.wallet.rich("failing")
    make = session.checks.makes[kind]
    if make.needs is not None:
        session.resources.ready(make.needs, who=who)
    plan = None if session.is_steered else session.failing_plan(make.by)
    if plan is None:
        session.controls.fail_next(who, make.by)
    made = session.resources.make(kind, who=who, plan=plan)
    last = _end(session, made)
    state = session.shown.state_seen(made.make.kind, last)
    meaning = session.shown.kind_seen(made.make.kind, last)
    detail = f"the {kind} was to fail and showed {state!r}"
    holds = meaning is not None and meaning.value == "failed"
    if plan is not None and not holds:
        raise NeedError(Need.FAILURE, message=f"the text of --failing-prompt made no {kind} fail")
    session.judge.check_optional(
        rule_ids.life(kind, "fails"), detail, made.exchange, last, holds=holds
    )
    if session.is_steered:
        session.target.wait(_HOUR_MS)
    session.resources.read(made)


def _same(session: Session, kind: str) -> None:
    """Repeat a request, which gives the finished result of the first one."""
    at = session.checks.same_as_asked[kind].same
    first = session.resources.ready(kind)
    again = session.call(first.make.by, ids=first.ids)
    detail = f"{evaluate(at, first.exchange)!r} became {evaluate(at, again)!r}"
    holds = evaluate(at, first.exchange) == evaluate(at, again)
    state = session.shown.kind_seen(kind, again)
    holds = holds and state is not None and state.is_final
    session.judge.check(rule_ids.same(kind), detail, first.exchange, again, holds=holds)


# Files


def _files(session: Session, kind: str) -> None:
    make = session.checks.makes[kind]
    made = session.resources.ready(kind)
    read = session.resources.read(made) if make.read is not None else None
    first = judge_file(session, made, read)
    again = _file(session, made, read)
    if first is not None and again is not None:
        detail = "the same file was answered with other bytes"
        holds = first.body == again.body
        session.judge.check(rule_ids.media(kind, "stable"), detail, first, again, holds=holds)
    view = session.shown.view(made)
    if read is None or view is None:
        return
    lacking: NeedError | None = None
    for name, at in view.urls.items():
        url = evaluate(at, read)
        if isinstance(url, str) and url.startswith("http"):
            try:
                address_of(session, session.contract.behaviour.urls[name], url, made, at)
            except NeedError as error:
                lacking = error
    if lacking is not None:
        raise lacking


def judge_file(session: Session, made: Made, read: Exchange | None) -> Exchange | None:
    """The judged file of the finished resource *made*, which *read* shows; None without a file."""
    fetched = _file(session, made, read)
    if fetched is None:
        return None
    content, view = made.make.content, session.shown.view(made)
    _container(session, made.make.kind, fetched, content.type if content else "video/mp4")
    if view is not None and view.media is not None:
        _size(session, view.resource, view.media, made, fetched)
    return fetched


def _file(session: Session, made: Made, read: Exchange | None) -> Exchange | None:
    if made.make.content is not None:
        return session.call(made.make.content.operation, ids=made.ids, who=made.owner)
    view = session.shown.view(made)
    if read is None or view is None or view.media is None:
        return None
    url = evaluate(view.media.at, read)
    return session.fetch(url) if isinstance(url, str) and url.startswith("http") else None


def _container(session: Session, kind: str, fetched: Exchange, type_: str) -> None:
    problem = read_footage(fetched.body).problem
    if fetched.status != 200:
        problem = f"it was answered {fetched.status}"
    elif fetched.content_type != type_:
        problem = f"it came as {fetched.content_type or 'nothing'} instead of {type_}"
    elif fetched.headers.get("content-length", str(len(fetched.body))) != str(len(fetched.body)):
        problem = "its length is not its Content-Length"
    rule = rule_ids.media(kind, "container")
    session.judge.check(rule, problem or "", fetched, holds=problem is None)


def _size(session: Session, kind: str, media: MediaView, made: Made, fetched: Exchange) -> None:
    if not (media.sizes or media.seconds):
        return
    footage = read_footage(fetched.body)
    wanted: Json = media.sizes
    for fact in media.size_by:
        value = str(read_fact(fact, made.exchange))
        wanted = wanted.get(value) if isinstance(wanted, dict) else None
    problems: list[str] = []
    if isinstance(wanted, str) and "x" in wanted:
        wanted = [int(part) for part in wanted.split("x")]
    if isinstance(wanted, list) and [footage.width, footage.height] != wanted:
        problems.append(f"it is {footage.width}x{footage.height}, asked for was {wanted}")
    seconds = read_fact(media.seconds, made.exchange) if media.seconds is not None else None
    if seconds is not None and not isinstance(seconds, Missing):
        difference = abs(footage.length_ms - int(float(seconds) * 1_000))
        if difference > _LENGTH_TOLERANCE_MS:
            problems.append(f"it lasts {footage.length_ms} ms, asked for were {seconds} s")
    rule = rule_ids.media(kind, "size")
    session.judge.check(rule, "; ".join(problems), fetched, holds=not problems)
