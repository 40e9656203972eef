"""Putting the mock together: store, worlds, the edge, and the Flask application behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from wsgiref.types import WSGIApplication

from flask import Flask

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Redactor
from screentest.specs.contracts.registry import shipped_contracts

from ..engine.world import Plan
from ..engine.worlds import DEFAULT_WORLD, Worlds
from ..findings.world_findings import Verdict
from ..kernel.errors import MockError
from ..store.database_urls import is_database_url
from ..store.keeper import Keeper, MemoryKeeper
from ..store.retention import KEEP_DEFAULT
from ..store.sqlite_keeper import SqliteKeeper
from ..store.store import Store
from .control.control_api import control_blueprint
from .control.page import page_blueprint
from .delivery import InlineDispatcher, ThreadedDispatcher
from .due_timer import DueTimer
from .edge import Edge, Observer, Warner, warn_in_log
from .guard import Guard
from .metrics import Metrics
from .sse import AdvancingWaiter, BlockingWaiter
from .transport import InProcess, Post, Sockets
from .wall_clock import monotonic_s, system_ms, wall_ms
from .webhook_targets import Targets
from .wsgi_edge import WSGIEdge


def create_app(
    *,
    database: Path | str | None = None,
    keeper: Keeper | None = None,
    contracts: Sequence[Contract] | None = None,
    plan: Plan | None = None,
    guard: Guard | None = None,
    is_server: bool = False,
    is_pure: bool = False,
    remembers: bool = True,
    clock: Callable[[], int] = wall_ms,
    observe: Observer | None = None,
    targets: Targets | None = None,
    warn: Warner = warn_in_log,
    is_strict: bool = True,
    keep: int = KEEP_DEFAULT,
    refuses_unbehaved: bool = False,
) -> Flask:
    """A mock as a WSGI application.

    *database* is a SQLite file or the URL of a PostgreSQL database; None keeps everything in
    memory. A *keeper* takes the place of both. *contracts* None serves every provider. *plan* is
    how the default world begins, if it does not exist yet. With *is_server* streams wait for the
    clock, and webhooks leave by themselves; else streams move the clock, and a webhook leaves in
    the thread whose call made it due. *is_pure* leaves out our own response headers. With
    *remembers*, answers to polls are reused while nothing can have changed them. *clock* reads the
    wall time in milliseconds. *observe* gets every handled request, *warn* what the user should
    know. *targets* says where webhooks may go; an application under a name in
    `extensions["screentest.receivers"]` gets what is sent to `wsgi:NAME`. With *is_strict*, a reply
    of the mock that breaks the contract becomes a 500; otherwise it is journaled with a warning.
    With *refuses_unbehaved*, operations that a behaviour file does not name are answered 501. With
    more than *keep* resources, history is dropped; 0 keeps all.

    Raises:
        MockError: the database cannot be used.
        ContractError: one of *contracts* is wrong.
    """
    contracts = _checked(contracts)
    if keeper is None:
        keeper = _opened(database)
    store = Store(keeper, Redactor(it.behaviour for it in contracts), monotonic_s, keep)
    _check_served(store, contracts)
    worlds = Worlds(
        store,
        contracts,
        keeper.clock(clock),
        system_ms,
        is_strict=is_strict,
        refuses_unbehaved=refuses_unbehaved,
    )
    if worlds.find(DEFAULT_WORLD) is None:
        worlds.create(plan or Plan(), DEFAULT_WORLD)
    guard = guard or Guard()
    app = Flask("screentest", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default JSON provider has it
    app.extensions |= {"screentest": worlds, "screentest.verdict": Verdict(worlds)}
    edge = Edge(worlds, guard, is_pure=is_pure, remembers=remembers, observe=observe, warn=warn)
    if is_server:
        edge.metrics = Metrics(worlds, lambda: edge.streams.open)
    _mount(app, worlds, guard, edge.metrics)
    _deliver(app, worlds, targets or Targets(), edge.metrics)
    waiter = BlockingWaiter(worlds) if is_server else AdvancingWaiter(worlds)
    app.extensions["screentest.edge"] = edge, app.wsgi_app
    middleware = WSGIEdge(edge, worlds, waiter, app.wsgi_app)
    app.wsgi_app = middleware  # type: ignore[method-assign,assignment]  # Flask's way to wrap it
    return app


def _opened(database: Path | str | None) -> Keeper:
    """The keeper for the file or URL *database*; None keeps nothing beyond this process."""
    if database is None:
        return MemoryKeeper()
    if not is_database_url(database):
        return SqliteKeeper(Path(database))
    try:
        from ..store.postgres.keeper import PostgresKeeper
    except ImportError as error:
        raise MockError(
            f"--db postgresql:// needs the extra 'postgres' ({error}): "
            "pip install 'screentest[postgres]'"
        ) from None
    return PostgresKeeper(str(database), seconds=monotonic_s)


def _checked(contracts: Sequence[Contract] | None) -> Sequence[Contract]:
    if contracts is None:
        return list(shipped_contracts())
    for contract in contracts:
        # A contract of the user's may be wrong; the shipped ones are compiled when first used.
        if not contract.is_shipped:
            _ = contract.operations
    return contracts


def _mount(app: Flask, worlds: Worlds, guard: Guard, metrics: Metrics | None) -> None:
    """Add the routes of the control API and of the page in the browser."""
    app.register_blueprint(control_blueprint(worlds, guard, metrics))
    app.register_blueprint(page_blueprint(app, worlds, guard))


def _check_served(store: Store, contracts: Sequence[Contract]) -> None:
    """Raises unless every provider with accounts in *store* is served."""
    unserved = store.providers() - {contract.provider for contract in contracts}
    if unserved:
        store.close()
        raise MockError(
            f"the database holds accounts of {', '.join(sorted(unserved))}; "
            "serve what it holds and more, or name another file"
        )


def _deliver(app: Flask, worlds: Worlds, targets: Targets, metrics: Metrics | None) -> None:
    """Let webhooks be sent: at once in the caller's thread, or from a server's own threads.

    Only a server has *metrics*.
    """
    receivers: dict[str, WSGIApplication] = {}
    app.extensions["screentest.receivers"] = receivers
    app.extensions["screentest.check_target"] = partial(targets.check_url, receivers=receivers)
    post = Post(Sockets(targets), InProcess(receivers))
    if metrics is None:
        worlds.clocks.set_dispatcher(InlineDispatcher(worlds, post))
        return
    dispatcher = ThreadedDispatcher(worlds, post, metrics.note_attempt)
    app.extensions["screentest.dispatcher"] = dispatcher
    worlds.clocks.set_dispatcher(dispatcher)
    app.extensions["screentest.due_timer"] = due_timer = DueTimer(worlds)
    due_timer.start()
