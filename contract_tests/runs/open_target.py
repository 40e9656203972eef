"""Opening a target: its address, its guard, and whether its key works."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..rules.known import names_needed, refused_keys
from ..sessions.session import Session
from ..targets.callback import HOLD_MS, Callback, Inbox, listen
from ..targets.guard import CreditBudget, Guarded
from ..targets.in_process import InProcessTarget
from ..targets.live import (
    Live,
    NotAllowedError,
    UnreachableError,
    address_problem,
    check_address,
    identity,
)
from ..targets.mock_app import make_app
from ..targets.needs import UnableError
from ..targets.open_jobs import place_of
from ..targets.run_log import RunLog
from ..targets.target import ANONYMOUS, OutgoingRequest, Prompts
from ..traces.trace import Exchange
from .options import VerifyOptions

#: An address of nothing: what a server answers there it answers to every wrong base address.
_HEALTH = "/_screentest/health"
_NOTHING = "/screentest/asks/for/nothing"
#: Where webhooks are received if `--callback` alone is given.
_LISTENS_ON = "127.0.0.1:8933"
#: A request to the callback arrives within this, and a delivery this much later than it is sent.
_PROBE_S, _LATENCY_MS = 10.0, 250
#: One 404 may be an operation that the server lacks; several mean a wrong address.
_PLACES_MAX = 3
_NOT_FOUND = 404


class KeyRefusedError(Exception):
    """The key or the address is wrong, so that nothing can be judged."""


def opener(
    options: VerifyOptions, contract: Contract, budget: CreditBudget
) -> Callable[[], Guarded]:
    """A function that gives the target of *options*: a new mock each time, or the server at *url*.

    Raises:
        NotAllowedError: it is another machine, and `--live` was not given.
    """
    if options.url is None:
        app = make_app(contract)
        return lambda: Guarded(
            InProcessTarget(app, contract, options.seed, readings=options.readings),
            contract,
            budget,
            options.is_read_only,
        )
    check_address(options.url, is_live=options.is_live)
    more = {"bearer": options.bearer} if options.bearer else {}
    second = options.second_api_key
    live = Live(
        base_address(options.url, contract),
        identity("owner", options.api_key, more),
        identity("stranger", second, {}) if second else None,
        options.time_scale,
        options.patience_ms,
        identity("empty", options.empty_api_key, {}) if options.empty_api_key else None,
        identity("former", options.revoked_api_key, {}) if options.revoked_api_key else None,
    )
    live.balance_command = options.balance_command
    live.prompts = Prompts(options.failing_prompt, options.refused_prompt)
    live.is_mock = not options.is_live and _is_own_mock(live)
    live.callback = _callback(options, contract, live)
    log = _run_log(options, live)
    guarded = Guarded(live, contract, budget, options.is_read_only, log=log)
    return lambda: guarded


def _run_log(options: VerifyOptions, live: Live) -> RunLog | None:
    """The file of the run; None if no later run is to continue it.

    Raises:
        JournalError: the file cannot be used, or is that of another run.
    """
    if options.resume is None:
        return None
    chosen = (options.tier, options.only, options.is_read_only, options.seed, options.callback_url)
    log = RunLog(
        options.resume,
        place_of(options.provider, live.url, options.keys),
        repr((chosen, options.time_scale, sorted(options.readings.items()))),
        live.now_ms(),
        options.patience_ms,
        options.time_scale,
    )
    live.count_from(log.began_ms)
    callback = live.callback
    if callback is not None and isinstance(callback.receiver, Inbox):
        callback.receiver.on_taken = log.delivered
    return log


def _callback(options: VerifyOptions, contract: Contract, live: Live) -> Callback | None:
    """The receiver of webhooks that *options* ask for, which listens from now on.

    Raises:
        NotAllowedError: the address is wrong, or cannot be listened on.
        UnreachableError: a request to the callback does not arrive here.
    """
    url = options.callback_url
    if not url or contract.behaviour.webhooks is None:
        return None
    host, _, port = (options.callback_listen or _LISTENS_ON).rpartition(":")
    problem = address_problem(url) or address_problem(f"http://{host}:{port}")
    if problem:
        raise NotAllowedError(f"no callback {url!r} at {host}:{port}: {problem}")
    inbox = Inbox(url, live.now_ms)
    try:
        close = listen(inbox, host.strip("[]"), int(port))
    except OSError as error:
        raise NotAllowedError(f"cannot receive on {host}:{port}: {error.strerror}") from None
    text = f"screentest probe {live.now_ms()}".encode()
    probe = OutgoingRequest("POST", "", body=text)
    if not inbox.is_reached(lambda: Live(url, ANONYMOUS).send(probe), text, _PROBE_S):
        close()
        raise UnreachableError(f"{url}: a request to this callback did not arrive at {host}:{port}")
    latency_ms, hold_ms = (int(it * live.time_scale) for it in (_LATENCY_MS, HOLD_MS))
    return Callback(url, options.callback_secret, inbox, latency_ms, hold_ms, close)


def _is_own_mock(live: Live) -> bool:
    """Whether the server at the address answers the control API."""
    parts = urlsplit(live.url)
    try:
        found = live.fetch(f"{parts.scheme}://{parts.netloc}{_HEALTH}")
    except (UnreachableError, UnableError):
        return False
    return found.status == 200 and found.body.startswith(b'{"status":"ok","version":')


def base_address(url: str, contract: Contract) -> str:
    """*url* without the path that the provider's variables add, such as `/api/v1`.

    The paths of operations are complete, so output of `screentest env` can be used unchanged.
    """
    bare = url.rstrip("/")
    for template in contract.behaviour.environment.values():
        added = template.partition("{base_url}")[2].rstrip("/")
        if added and bare.endswith(added):
            return bare.removesuffix(added)
    return bare


def check_key(open_it: Callable[[], Guarded], contract: Contract, checks: Checks) -> None:
    """Send a request with the owner's key: nothing can be judged without a key that works.

    Raises:
        KeyRefusedError: there is no key, or the server knows neither it nor the address.
        UnreachableError: no server answers there.
    """
    session = Session(open_it(), contract, checks, Judge(rules_of(contract, checks)))
    behaviour = contract.behaviour
    reads = [
        name
        for name, it in contract.operations.items()
        if behaviour.operations[name].effect == "read" and it.security
    ]
    # Lists come first: they need no id, so a server that knows the key answers with a success.
    reads.sort(key=lambda name: len(names_needed(contract.operations[name], session.plan(name))))
    strange: list[Exchange] = []
    for name in reads:
        made_up = dict.fromkeys(names_needed(contract.operations[name], session.plan(name)), "0")
        try:
            found = session.call(name, ids=made_up)
        except UnableError:
            continue
        if found.status in refused_keys(contract, name):
            raise KeyRefusedError(f"{found.line}: the server does not know the key")
        if found.status != _NOT_FOUND or _is_place(session, name, made_up, found):
            return
        strange.append(found)
        if len(strange) == _PLACES_MAX:
            break
    if strange:
        raise KeyRefusedError(
            f"{strange[0].line}, as to any path at {session.target.name}; is the address right?"
        )
    # Where nothing that takes a key can be read, the first scenario shows whether it is known.
    takes_key = any(it.security for it in contract.operations.values())
    if not takes_key or (session.owner.keys and not reads):
        return
    raise KeyRefusedError("no key was given that any operation takes; use --api-key or --bearer")


def _is_place(session: Session, name: str, ids: dict[str, str], found: Exchange) -> bool:
    """Whether *found*, a 404, is about the made-up id and not about the key or the path."""
    if session.call(name, ids=ids, who=ANONYMOUS).status != _NOT_FOUND:
        return True
    nothing = session.send(OutgoingRequest(found.method, _NOTHING), session.owner)
    return nothing.status != _NOT_FOUND or _body_without_path(nothing) != _body_without_path(found)


def _body_without_path(exchange: Exchange) -> bytes:
    """The body without the requested path, which many servers repeat."""
    return exchange.body.replace(exchange.path.encode(), b"")
