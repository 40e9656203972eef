"""The way of a request: route, faults, gates in the provider's order, behaviour, self-check.

One transaction, without a framework. Nothing here sleeps, sends or reads a file. A refused request
gets the provider's refusal. Any other error ends in a journaled 500, and every change that the
request made is undone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour.prices import Moment

from ..answers.default_handlers import answer_from_contract, ordered_failure
from ..answers.made_answers import not_implemented
from ..answers.refusals import shape_refusal
from ..engine.provider import Call, EventStream, Refusal, RefusedError, Reply, Request
from ..engine.streams import job_events
from ..engine.world import World
from ..engine.worlds import Worlds
from ..findings.file_transfers import note_download, upload_again
from ..findings.ignored_fields import ignored_fields, misspelt_directives
from ..findings.own_mistakes import findings_of_ours
from ..findings.payments import note_call
from ..findings.repeated_calls import findings_over_calls
from ..findings.retry_after import too_early
from ..kernel.clock import Mode
from ..kernel.fault_types import DELAYING
from ..kernel.faults import Fault
from ..kernel.finding import Finding
from ..store.history_tables import Line
from ..store.surroundings import NotKeptError
from .extra_fields import with_extra_fields
from .fault_injection import apply_after_commit, apply_before, apply_to_answer, apply_to_model
from .gates import GATES
from .journal import JournalLine, journal_line
from .limits import count_refused, note_in_flight, payer_of
from .ordered_faults import end_order
from .remembered import Remembered, keep, recall, watch
from .retiring import announce_retirement, refuse_retired
from .routing import receive, world_of
from .self_check import BrokenReplyError, broken_reply, failure, not_kept, reply_violations

Answer = Reply | EventStream


class Handled(Struct, frozen=True):
    """The outcome of a request: its answer, its world, and its number there.

    *note* is its journal line. *faults* are still to be applied to the answer.
    """

    answer: Answer
    world: World
    number: int
    operation: str
    note: JournalLine
    faults: Sequence[Fault] = ()


class Turn(Struct, frozen=True):
    """A *request* to a provider that was sent to *entry* and waits for the lock of *world*.

    *known* is the answer to an earlier poll that was the same, if it may still hold.
    """

    entry: World
    world: World
    provider_id: str
    request: Request
    known: Remembered | None = None


def turn_of(
    worlds: Worlds, entry: World, provider_id: str, request: Request, *, remembers: bool = True
) -> Turn:
    """The turn of *request* in *entry*, or in the world that its key belongs to."""
    known = recall(worlds, entry, provider_id, request) if remembers else None
    if known is not None:
        return Turn(entry, known.world, provider_id, request, known)
    world = world_of(worlds, entry, provider_id, request)
    return Turn(entry, world, provider_id, request)


def handle(worlds: Worlds, turn: Turn) -> Handled:
    """Answer the request whose *turn* it is.

    Raises:
        MockError: the world was deleted.
        NotKeptError: the keeper is away, so that not even a journal line can be kept.
    """
    while (handled := _handled(worlds, turn)) is None:
        turn = replace(turn, world=worlds.get(turn.world.id))
    return handled


def _handled(worlds: Worlds, turn: Turn) -> Handled | None:
    """The outcome; None if the world was reset or deleted before this thread had its lock."""
    call: Call | None = None
    world, known = turn.world, turn.known
    try:
        with world.rows.transaction():
            # While this thread waited for the lock, a call may have reset or deleted the world.
            if worlds.find(world.id) is not world:
                return None
            if known is not None:
                call = known.call_again(turn.request, worlds.clocks.now_ms(world))
                if call is not None:
                    advice = [*_advice(call, known.answer), *note_call(call, known.answer)]
                    return _journaled(call, known.answer, JournalLine(call, known.answer, advice))
            call, refusal = receive(worlds, world, turn.provider_id, turn.request)
            answer, advice = _guarded(worlds, watch(call), refusal)
            advice += note_call(call, answer)
            handled = _journaled(call, answer, journal_line(call, answer, advice))
            keep(worlds, turn.entry, handled.note)
            return handled
    except NotKeptError as error:
        if call is None:
            raise
        # Its faults were undone with everything else, so none of them is applied.
        call.faults = ()
        reply = not_kept(error)
        with world.rows.transaction():
            return _journaled(call, reply, journal_line(call, reply))


def knows_caller(worlds: Worlds, turn: Turn, provider_id: str) -> bool:
    """Whether *turn* is that of a caller with a key of its world, or needs none."""
    with turn.world.rows.transaction():
        call, _ = receive(worlds, turn.world, provider_id, turn.request)
        return not call.operation.security or call.presented_key is not None


def note_reply(
    worlds: Worlds,
    world: World,
    provider_id: str,
    request: Request,
    reply: Reply,
    advice: Sequence[Finding] = (),
    faults: Sequence[Fault] = (),
) -> Handled:
    """Journal *reply*, which no operation of the mock made: a file's, or a real server's."""
    with world.rows.transaction():
        call, _ = receive(worlds, world, provider_id, request)
        call.faults = faults
        return _journaled(call, reply, journal_line(call, reply, advice))


def _journaled(call: Call, answer: Answer, line: JournalLine) -> Handled:
    ctx, operation_id = call.ctx, call.operation.id
    ctx.rows.journal.add(
        Line(ctx.request, ctx.at_ms, ctx.provider, operation_id, answer.status, line.to_keep())
    )
    if call.faults and any(fault.type in DELAYING for fault in call.faults):
        # A repetition before the delayed answer finds this call unanswered, until the answer is
        # sent and `Outgoing.release` removes it.
        ctx.world.unanswered[ctx.request] = payer_of(call)
    return Handled(answer, ctx.world, ctx.request, operation_id, line, call.faults)


def _guarded(worlds: Worlds, call: Call, refusal: Refusal | None) -> tuple[Answer, list[Finding]]:
    """The answer to *call* with the findings about it. Never raises."""
    contract = call.ctx.contract
    try:
        # Undoes due effects and rate hits as well: after a 500 of ours, the call never happened.
        with call.ctx.rows.attempt():
            answer = _unrouted(call, refusal) if refusal is not None else _answer(worlds, call)
            if call.is_routed:
                answer = apply_to_answer(call, with_extra_fields(call, answer))
                end_order(call)
            # Last, because an answer that a fault kept from the client does not count as one.
            return answer, _advice(call, answer)
    except Exception as error:  # noqa: BLE001  the request ends here, journaled
        return failure(contract, error), []


def _advice(call: Call, answer: Answer) -> list[Finding]:
    """The findings about a call that do not come from its refusal."""
    found = [*call.warnings, *too_early(call, answer), *findings_over_calls(call, answer)]
    found += upload_again(call, answer)
    note_download(call, answer)
    if call.is_routed and call.body:
        found += ignored_fields(call, answer)
        found += misspelt_directives(call)
    return found


def _unrouted(call: Call, refusal: Refusal) -> Reply:
    """The answer to a request that no operation takes."""
    if refusal.reason == "redirect":
        base = re.sub(r"^https?://[^/]+", "", call.request.base_url)
        headers = {"Location": base + refusal.facts["location"]}
        return Reply(refusal.facts["status"], None, headers, reason="route", refusal=refusal)
    return shape_refusal(call, refusal)


def _answer(worlds: Worlds, call: Call) -> Answer:
    """The answer of an operation. A refusal undoes what its handler did, and nothing else.

    Raises:
        BrokenReplyError: the reply is not what the contract documents.
    """
    try:
        answer = _granted(worlds, call)
        # Inside this `try`: the work stays, and only the answer becomes the injected error.
        if apply_after_commit(call):
            worlds.clocks.settle(call.ctx.world, call.ctx.at_ms)
    except RefusedError as refused:
        # Outside the attempt that the refusal undid, or the window would forget the call.
        if not call.is_counted:
            count_refused(call, refused.refusal)
        answer = shape_refusal(call, refused.refusal)
        _check(worlds, call, answer)
        # An injected error is not the provider's answer, so a repetition must not get it again.
        if call.save_replay is not None and not refused.refusal.reason.startswith("fault:"):
            call.save_replay(answer)
    announce_retirement(call, answer)
    return answer


def _granted(worlds: Worlds, call: Call) -> Answer:
    """The answer to a call that passes every gate.

    Raises:
        RefusedError: a gate, a fault or the handler refuses.
        BrokenReplyError: the reply is not what the contract documents.
    """
    if call.ctx.world.clock.mode is Mode.AUTO and call.rules.effect == "read":
        # Before any gate, because each of them judges at the instant of the call.
        _jump(worlds, call)
    # A request that is lost on its way never reached the provider, so it changes nothing.
    lost = apply_before(call)
    if lost is not None:
        return lost
    # Before the gates: balance, states and running jobs must be those of now.
    worlds.clocks.settle(call.ctx.world, call.ctx.at_ms)
    for gate in call.ctx.behaviour.refusal_order:
        stored = GATES[gate](call)
        if stored is not None:
            # A replay is checked too, since the readings may have changed after the first answer.
            _check(worlds, call, stored)
            return stored
    # After the gates: the model of a remix is that of a resource which they have found.
    apply_to_model(call)
    refuse_retired(call)
    if call.rules.effect == "read":
        # A read changes nothing that a refusal would have to undo.
        return _carried_out(worlds, call)
    with call.ctx.rows.attempt():
        return _carried_out(worlds, call)


def _carried_out(worlds: Worlds, call: Call) -> Answer:
    """The answer of the operation itself, paid for and checked.

    Raises:
        RefusedError: the handler refuses.
        BrokenReplyError: the reply is not what the contract documents.
    """
    if call.rules.is_unbehaved and worlds.refuses_unbehaved:
        return not_implemented(call)
    answer: Answer | None = ordered_failure(call)
    if answer is None:
        answer = call.provider.operations.get(call.operation.id, answer_from_contract)(call)
    _charge_for_answer(call, answer)
    _check(worlds, call, answer)
    if call.save_replay is not None and isinstance(answer, Reply):
        call.save_replay(answer)
    return answer


def _jump(worlds: Worlds, call: Call) -> None:
    """Move the clock of a world in auto mode to its next step; the call goes on at that instant."""
    ctx = call.ctx
    worlds.clocks.jump(ctx.world)
    call.ctx = worlds.clocks.instant(
        ctx.world, ctx.provider, base_url=ctx.base_url, number=ctx.request
    )


def _charge_for_answer(call: Call, answer: Answer) -> None:
    """Charge a price that is due with a successful answer."""
    cost = call.cost
    if cost is None or cost.moment is not Moment.ANSWER or answer.status >= 300:
        return
    ctx = call.ctx
    assert ctx.ledger.charge(call.account_id, cost.amount, ctx.now_ms, None, ctx.number)
    note_in_flight(call)


def _check(worlds: Worlds, call: Call, answer: Answer) -> None:
    """Check *answer* against the contract. A lenient mock only notes how it differs.

    Raises:
        BrokenReplyError: it is not what the contract documents.
    """
    if isinstance(answer, EventStream):
        # Read once here, so that a mistake in its templates is a journaled 500 and not an
        # exception after the status line has left.
        job_events(call.provider, call.ctx, answer.job)
        return
    violations = reply_violations(call.operation, answer)
    if not violations:
        return
    if not worlds.is_strict:
        found = findings_of_ours(call.ctx.contract, violations, is_sent=True)
        call.warnings = [*call.warnings, *found]
        return
    raise BrokenReplyError(
        broken_reply(call.ctx.contract, call.operation, answer.status, violations)
    )
