"""A fixed set of generated requests, made once and sent to many mutants.

Schemathesis generates them, which takes most of the time, so one set serves hundreds of mutants.
They are sent through our own session, with real ids and changing callers. A single server is
fuzzed by `phases` instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote, urlsplit

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import is_secret_header
from screentest.specs.openapi.operations import Operation

from ..rules.known import names_needed
from ..sessions.session import Session
from ..targets.credentials import credential_of, signed
from ..targets.needs import UnableError
from ..targets.target import ANONYMOUS, Identity, OutgoingRequest
from ..traces.expressions import evaluate, has_value
from ..traces.trace import Exchange

#: The range of schemathesis whose public interface this adapter was written for.
_SINCE, _BEFORE = (4, 20), (5, 0)
#: How often an anonymous caller or a stranger sends a request instead of the owner.
_ANONYMOUS_EVERY, _STRANGER_EVERY = 11, 5
_PAUSE_MS = 5_000
#: How often the examples of all operations are sent: later ones use resources of earlier ones.
_ROUNDS = 3
_DROPPED_HEADERS = frozenset(
    {
        "user-agent",
        "accept-encoding",
        "accept",
        "connection",
        "content-length",
        "host",
        "x-schemathesis-testcaseid",
    }
)


class FuzzUnavailableError(Exception):
    """schemathesis is not installed, or is of a version that this adapter does not know."""


@dataclass(frozen=True, slots=True)
class Case:
    """One generated request. *is_valid*: it was generated to be accepted."""

    operation: str
    is_valid: bool
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def check_version() -> None:
    """Raises unless a supported version of schemathesis is installed.

    Raises:
        FuzzUnavailableError: it is not; the message says what to install.
    """
    try:
        found = version("schemathesis")
    except PackageNotFoundError:
        raise FuzzUnavailableError(
            "schemathesis is not installed; pip install 'screentest[contract]'"
        ) from None
    numbers = tuple(int(part) for part in found.split(".")[:2])
    if not _SINCE <= numbers < _BEFORE:
        raise FuzzUnavailableError(
            f"schemathesis {found} is not supported; install one from 4.20 up to 5"
        )


def make_cases(contract: Contract, *, seed: int = 1, examples: int = 15) -> list[Case]:
    """*examples* valid and as many invalid requests for each operation, the same for one *seed*.

    Raises:
        FuzzUnavailableError: schemathesis is not installed.
    """
    check_version()
    import hypothesis
    import requests
    import schemathesis

    schema = schemathesis.openapi.from_dict(contract.document)
    made: list[Case] = []
    for result in schema.get_all_operations():
        found: Any = result  # its own types are open
        operation = found.ok()
        name = operation.definition.raw["operationId"]
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            is_valid = mode.name == "POSITIVE"
            drawn: list[Any] = []
            _draw(hypothesis, operation, mode, drawn, seed, examples)
            made += [
                _case(contract, name, requests.Request(**it).prepare(), is_valid=is_valid)
                for it in drawn
            ]
    return made


def _draw(
    hypothesis: Any, operation: Any, mode: Any, drawn: list[Any], seed: int, examples: int
) -> None:
    """Fill *drawn* with the parts of requests; an operation without any is left out."""

    def collect(case: Any) -> None:
        drawn.append(_parts_of(case))

    run = hypothesis.given(operation.as_strategy(generation_mode=mode))(collect)
    run = hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )(run)
    try:
        hypothesis.seed(seed)(run)()
    except (hypothesis.errors.Unsatisfiable, hypothesis.errors.FailedHealthCheck):
        return


def _parts_of(case: Any) -> dict[str, Any]:
    keywords = case.as_transport_kwargs(base_url="http://localhost")
    known = {"method", "url", "headers", "params", "data", "json", "files"}
    kept = {key: value for key, value in keywords.items() if key in known}
    kept["headers"] = {
        key: value
        for key, value in (kept.get("headers") or {}).items()
        if str(value).isprintable() and str(value).isascii()
    }
    return kept


def _case(contract: Contract, name: str, prepared: Any, *, is_valid: bool) -> Case:
    parts = urlsplit(prepared.url)
    body = prepared.body or b""
    headers = {
        key.lower(): value
        for key, value in prepared.headers.items()
        if key.lower() not in _DROPPED_HEADERS
        and not is_secret_header(key, contract.behaviour)
        and isinstance(value, str)
    }
    raw = body.encode() if isinstance(body, str) else bytes(body)
    return Case(name, is_valid, parts.path, parts.query, headers, raw)


def fuzz(session: Session, cases: Sequence[Case], *, stops_early: bool = False) -> int:
    """Send *cases*, with real ids and changing callers, and read the resources that they made.

    Returns the number of events. With *stops_early* the first finding ends it.
    """
    pool: dict[str, list[str]] = {}
    before = len(session.trace.events)
    owner = _spender(session)
    for _ in range(_ROUNDS):
        if not (stops_early and session.judge.findings):
            smallest_of_all(session, pool, owner)
    for number, case in enumerate(cases):
        if stops_early and session.judge.findings:
            break
        who = _caller(session, number, owner)
        try:
            _send(session, case, who, pool, number)
            if number % 4 == 0:
                _read_again(session, owner, pool, number)
        except UnableError:
            continue
        session.target.wait(_PAUSE_MS)
    return len(session.trace.events) - before


def _spender(session: Session) -> Identity:
    return session.wallet.rich("owner") if session.target.controls is not None else session.owner


def _caller(session: Session, number: int, owner: Identity) -> Identity:
    if number % _ANONYMOUS_EVERY == _ANONYMOUS_EVERY - 1:
        return ANONYMOUS
    if number % _STRANGER_EVERY == _STRANGER_EVERY - 1 and session.target.stranger is not None:
        return session.stranger
    return owner


def _send(
    session: Session, case: Case, who: Identity, pool: dict[str, list[str]], number: int
) -> None:
    operation = session.contract.operations[case.operation]
    prefix = session.contract.behaviour.prefixes[0]
    path = prefix + (_with_ids(operation, pool, number) or case.path)
    wire = OutgoingRequest(operation.method, path, case.query, case.headers, case.body)
    wire = signed(wire, credential_of(session.contract.behaviour, operation, who))
    sees_money = session.wallet.has_money and session.target.controls is not None and who.account
    if sees_money:
        session.wallet.balance(who)
    exchange = session.send(wire, who)
    if sees_money:
        session.wallet.balance(who)
    _keep_ids(session.checks, exchange, pool)


def _with_ids(operation: Operation, pool: dict[str, list[str]], number: int) -> str | None:
    """The path with ids of existing resources, if there are any; every third stays generated."""
    path = operation.path
    for name in operation.path_names:
        known = pool.get(name)
        if not known or number % 3 == 2:
            return None
        path = path.replace(f"{{{name}}}", quote(known[number % len(known)], safe=""))
    return path


def _keep_ids(checks: Checks, exchange: Exchange, pool: dict[str, list[str]]) -> None:
    if not exchange.is_success:
        return
    for make in checks.makes.values():
        if make.by != exchange.operation:
            continue
        for name, expression in make.ids.items():
            value = evaluate(expression, exchange)
            if has_value(value) and str(value) not in pool.setdefault(name, []):
                # The newest come first; a few older ones stay, to be read after their end.
                pool[name] = [str(value), *pool[name][:3]]


def _read_again(session: Session, who: Identity, pool: dict[str, list[str]], number: int) -> None:
    """Read resources again, which is the only way to see their states change."""
    for operation in _readers(session):
        names = names_needed(operation, session.plan(operation.id))
        if all(pool.get(name) for name in names):
            ids = {name: pool[name][number // 4 % len(pool[name])] for name in names}
            session.call(operation.id, ids=ids, who=who)


def _readers(session: Session) -> Iterator[Operation]:
    names = {make.read for make in session.checks.makes.values() if make.read is not None}
    names |= set(session.checks.lists)
    for name in sorted(names):
        yield session.contract.operations[name]


def smallest_of_all(session: Session, pool: dict[str, list[str]], owner: Identity) -> None:
    """Send the example of each operation as owner, as another account, and without a key."""
    for name, operation in session.contract.operations.items():
        if session.contract.behaviour.operations[name].effect == "destructive":
            continue
        names = names_needed(operation, session.plan(name))
        if not all(pool.get(it) for it in names):
            continue
        ids = {it: pool[it][0] for it in names}
        callers = [ANONYMOUS, owner] if operation.security else [owner]
        if names and operation.security and session.target.stranger is not None:
            callers.insert(1, session.stranger)
        for who in callers:
            sees_money = (
                session.wallet.has_money and session.target.controls is not None and who.account
            )
            if sees_money:
                session.wallet.balance(who)
            with suppress(UnableError):  # the server may refuse further calls
                exchange = session.call(name, ids=ids, who=who)
                if who is owner:
                    _keep_ids(session.checks, exchange, pool)
            if sees_money:
                session.wallet.balance(who)
        session.target.wait(_PAUSE_MS)
