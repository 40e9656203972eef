"""Recorded traffic: judging it, sending it again, comparing two recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import REDACTED, Secrets
from screentest.specs.contracts.registry import Contracts, shipped_contracts
from screentest.specs.json_types import Json

from ..monitors.monitors import watch
from ..monitors.undocumented import Undocumented
from ..report.text import broken_lines
from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..sessions.session import Session
from ..targets.credentials import credential_of, signed
from ..targets.target import ANONYMOUS, Identity, OutgoingRequest, Target
from ..traces.trace import Exchange, LackingPart, Trace
from ..traces.trace_file import trace_of
from .har import har_of, tally

#: Undocumented calls that are listed one by one.
_UNDOCUMENTED_SHOWN_MAX = 20
#: Sent again where the recording has a key that the server did not know.
_UNKNOWN_KEY = "a-key-of-no-account"


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded traffic. *skipped* counts entries for other servers, by reason.

    *secrets* are the keys that were seen in it, to be cut from reports.
    """

    trace: Trace
    secrets: Secrets
    skipped: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class Judged:
    """The findings in a recording; *undocumented* calls are counted by their request line."""

    judge: Judge
    undocumented: Counter[str]


def read_recording(
    path: Path,
    provider: str,
    readings: Mapping[str, str] | None = None,
    contracts: Contracts | None = None,
) -> Recording:
    """A trace of ours or a HAR file, by what is in it, of a provider of *contracts*.

    *contracts* None are those that come with screentest.

    Raises:
        ValueError: it is neither, or has no call of the provider.
    """
    contracts = contracts or shipped_contracts()
    contract = contracts.load(provider, readings)
    secrets = Secrets(contract.behaviour)
    # Read once, because it may be a pipe. Some programs begin a file with a byte order mark.
    text = path.read_text(encoding="utf-8-sig")
    if not text.startswith('{"trace"'):
        reading = har_of(text, str(path), contract, secrets, contracts)
        return Recording(reading.trace, secrets, reading.skipped)
    trace = trace_of(text, str(path), contract)
    if not any(it.operation for it in trace.exchanges):
        raise ValueError(f"{path}: no call of {provider} is in it")
    return Recording(trace, secrets)


def judge_recording(
    trace: Trace,
    readings: Mapping[str, str] | None = None,
    contracts: Contracts | None = None,
) -> Judged:
    """The verdicts of the monitors on recorded traffic with a provider of *contracts*."""
    contract = (contracts or shipped_contracts()).load(trace.provider, readings)
    checks = load_checks(contract)
    judge = Judge(rules_of(contract, checks))
    watch(contract, checks, judge, trace)
    undocumented = Undocumented(contract, judge)
    for event in trace.events:
        undocumented.see(event)
    return Judged(judge, undocumented.seen)


def recording_lines(recording: Recording, judged: Judged) -> Iterator[str]:
    """The verdict on a recording, line by line."""
    judge, trace = judged.judge, recording.trace
    for broken_rule in judge.broken_rules:
        yield from broken_lines(broken_rule)
    for line, count in judged.undocumented.most_common(_UNDOCUMENTED_SHOWN_MAX):
        yield f"  not documented: {line}" + (f" ({count} times)" if count > 1 else "")
    if recording.skipped:
        yield f"  left out: {tally(recording.skipped)}"
    rules = len(judge.rules) - len(judge.not_judged)
    broken = sum(1 for count in judge.broken.values() if count)
    yield (
        f"{len(trace.exchanges)} exchanges; {rules} of {len(judge.rules)} rules judged, "
        f"{broken} broken"
    )


def send_again(trace: Trace, target: Target, contract: Contract) -> Trace:
    """The requests of *trace*, sent to *target* in the same order and rhythm.

    Ids of the recorded server are replaced by those of *target*.

    Raises:
        ValueError: a request was not recorded as a whole, or a second account asked and *target*
            has none.
    """
    checks = load_checks(contract)
    session = Session(target, contract, checks, Judge(rules_of(contract, checks)))
    renamed: dict[str, str] = {}
    before: Exchange | None = None
    for number, old in enumerate(trace.exchanges, start=1):
        if LackingPart.SENT in old.lacks:
            raise ValueError(f"exchange {number} ({old.line}) was recorded without what was sent")
        if before is not None:
            target.wait(max(0, old.at_ms - before.ended_ms))
        before = old
        who = _caller(session, old)
        operation = contract.operations.get(old.operation)
        headers = {name: value for name, value in old.request_headers.items() if value != REDACTED}
        wire = OutgoingRequest(
            old.method,
            _renamed(old.path, renamed),
            old.query,
            headers,
            _renamed_body(old.request_body, renamed),
        )
        if operation is not None:
            wire = signed(wire, credential_of(session.contract.behaviour, operation, who))
        new = session.send(wire, who)
        renamed |= dict(_pairs(old.reply, new.reply))
    session.trace.time_scale = trace.time_scale
    return session.trace


def _caller(session: Session, old: Exchange) -> Identity:
    """The caller of the repeated request: the same account, no key, or an unknown key."""
    match old.actor:
        case "anonymous":
            return ANONYMOUS
        case "unknown":
            return _unknown(session.contract.behaviour)
        case "stranger":
            if session.target.stranger is None:
                raise ValueError("a second account is in the recording; give --second-api-key")
            return session.target.stranger
        case _:
            return session.owner


def _unknown(behaviour: Behaviour) -> Identity:
    kinds = {it.key_kind for it in behaviour.credentials.values()}
    return Identity("unknown", dict.fromkeys(kinds, _UNKNOWN_KEY))


def _renamed(text: str, renamed: dict[str, str]) -> str:
    for old, new in renamed.items():
        text = text.replace(old, new)
    return text


def _renamed_body(body: bytes, renamed: dict[str, str]) -> bytes:
    for old, new in renamed.items():
        body = body.replace(old.encode(), new.encode())
    return body


def _pairs(old: Json, new: Json) -> Iterator[tuple[str, str]]:
    """Pairs of texts at the same place of both answers that differ: old and new ids."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old.keys() & new.keys():
            yield from _pairs(old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            yield from _pairs(one, other)
    elif isinstance(old, str) and isinstance(new, str) and old != new and _may_be_id(old):
        yield old, new


def _may_be_id(text: str) -> bool:
    return len(text) >= 6 and " " not in text and "://" not in text


def differences(one: Trace, other: Trace) -> Iterator[str]:
    """The differences of two recordings of the same requests, in statuses and fields."""
    for number, (left, right) in enumerate(
        zip(one.exchanges, other.exchanges, strict=False), start=1
    ):
        name = left.operation or left.path
        if left.operation != right.operation:
            yield f"{number}: {name} against {right.operation or right.path}"
            continue
        if left.status != right.status:
            yield f"{number}: {name}: status {left.status} against {right.status}"
            continue
        for place in sorted(_shape(left.reply, "") ^ _shape(right.reply, "")):
            which = "first" if place in _shape(left.reply, "") else "second"
            yield f"{number}: {name}: {place} only in the {which}"
    if len(one.exchanges) != len(other.exchanges):
        yield f"{len(one.exchanges)} exchanges against {len(other.exchanges)}"


def _shape(value: Json, at: str) -> set[str]:
    """The pointers in *value*, each with its kind of value."""
    if isinstance(value, dict):
        return {it for name, below in value.items() for it in _shape(below, f"{at}/{name}")}
    if isinstance(value, list):
        return _shape(value[0], f"{at}/*") if value else set()
    return {f"{at}: {type(value).__name__}"}
