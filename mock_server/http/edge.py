"""The edge: from a request's line and headers to an answer, independent of the server's interface.

Provider calls go straight to the pipeline, because Flask's dispatch costs more than the whole rest
of a status poll. `wsgi_edge` and `rsgi.edge` connect this to servers and to clients in the same
process.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from msgspec import Struct

from screentest.specs.contracts.addresses import ProviderAddress, ProviderAddresses
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import looks_live

from ..engine.provider import EventStream, Reply, Request
from ..engine.world import World
from ..engine.worlds import DEFAULT_WORLD, Worlds
from ..kernel.environ_keys import FILES
from ..kernel.errors import MockError
from ..kernel.fault_types import DELAY_MS_MAX
from ..media.asset import Asset
from ..pipeline.downloads import note_stored_file
from ..pipeline.handle import Handled, Turn, handle, knows_caller, note_reply, turn_of
from ..pipeline.self_check import failure, not_kept
from . import fault_effects
from .assets import asset_answer, find_asset, kind_of
from .cors import Cors
from .guard import Denial, Guard, check_size, problem
from .metrics import Metrics
from .pieces import PROBE_S, Outgoing, Until
from .sse import Streams
from .wall_clock import monotonic_s

#: Receives one sentence that the mock's user should read at once.
Warner = Callable[[str], None]
#: To stderr, unless the program has configured logging.
warn_in_log: Warner = logging.getLogger("screentest").warning

#: Receives every handled request with the milliseconds it took; it must not keep the call.
Observer = Callable[[Handled, float], None]
#: The call to a real server that a request to a provider makes; None where the mock answers it.
Upstream = Callable[[str, Request], Callable[[], Reply] | None]
#: Receives every request for a file: world, contract, path below the prefix, and status.
FileObserver = Callable[[World, Contract, str, int], None]


class Place(Struct, frozen=True):
    """Where a request goes: *provider* in *world*, at *path* below the address *base*.

    *scheme* is that of the provider's own host, where the request names that.
    """

    world: World
    provider: str
    base: str
    path: str
    scheme: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether the path names a stored file and not an operation."""
        return self.path.startswith(FILES)

    def base_url(self, scheme: str, host: str) -> str:
        """The address of the provider for a client that sent *host* over *scheme*."""
        return f"{self.scheme or scheme}://{host}{self.base}"


class Edge:
    """Finds the provider of a request and answers it.

    *observe* sees every handled request. An edge that *remembers* reuses answers to polls.
    """

    def __init__(
        self,
        worlds: Worlds,
        guard: Guard,
        *,
        is_pure: bool = False,
        remembers: bool = True,
        observe: Observer | None = None,
        warn: Warner = warn_in_log,
    ) -> None:
        self._worlds = worlds
        self._cors = Cors(guard.origins) if guard.origins else None
        self.streams = Streams(worlds)
        self.metrics: Metrics | None = None
        self.observe_file: FileObserver | None = None
        #: The providers' own hosts, if the server answers for them.
        self.real_hosts: ProviderAddresses | None = None
        self.upstream: Upstream | None = None
        self._guard = guard
        self._is_pure = is_pure
        self._remembers = remembers
        self.observe = observe
        self._warn = warn
        self._has_warned = False

    def place(
        self, path: str, query: str, headers: Mapping[str, str], *, is_trusted: bool = False
    ) -> Place | Outgoing | None:
        """Where a request goes, or its refusal; None when it is not a provider's.

        *is_trusted* skips the check of the Host header: the caller is in this process.
        """
        denied = check_size(path, query, headers)
        if denied is not None:
            return deny(denied)
        if not is_trusted:
            host = headers.get("host", "")
            if self.real_hosts is not None:
                address = self.real_hosts.at(host.partition(":")[0], path)
                if address is not None:
                    return self._at_real_host(address, path)
            denied = self._guard.check_host(host)
            if denied is not None:
                return deny(denied)
        world_id, base, inner = DEFAULT_WORLD, "", path
        if path.startswith("/w/"):
            _, _, world_id, *_rest = path.split("/", 3)
            base = f"/w/{world_id}"
            inner = path[len(base) :]
        provider, slash, below = inner[1:].partition("/")
        if provider not in self._worlds.contracts:
            return None
        try:
            world = self._worlds.find(world_id)
        except MockError as away:
            return deny(Denial(away.status, away.code, str(away)))
        if world is None:
            return deny(Denial(404, "unknown_world", f"no world {world_id[:64]!r}"))
        return Place(world, provider, f"{base}/{provider}", slash + below)

    def _at_real_host(self, address: ProviderAddress, path: str) -> Place:
        """The place of a request for *path* at a provider's own host, in the default world.

        A key of another world leads to that world, as everywhere.
        """
        world = self._worlds.get(DEFAULT_WORLD)
        scheme = urlsplit(address.base_url).scheme
        return Place(world, address.provider_id, address.path, address.below(path), scheme)

    def turn(self, place: Place, request: Request) -> Turn:
        """The turn of *request* at *place*, in the world that it is for."""
        return turn_of(
            self._worlds, place.world, place.provider, request, remembers=self._remembers
        )

    def answer(self, place: Place, turn: Turn, *, fills_blocks: bool = True) -> Outgoing:
        """The answer to the request at *place* whose *turn* it is.

        *fills_blocks* is for clients on a socket: see `fault_effects.spoil_stream`.
        """
        if self._cors is None:
            return self._answer(place, turn, fills_blocks=fills_blocks)
        sent = self._cors.preflight(turn.request)
        if sent is not None:
            return sent
        return self._cors.share(self._answer(place, turn, fills_blocks=fills_blocks), turn.request)

    def forwarded(self, place: Place, request: Request) -> Callable[[], Reply] | None:
        """The call to a real server that *request* makes, if it makes one."""
        if self.upstream is None or place.is_file:
            return None
        return self.upstream(place.provider, request)

    def refuse(self, place: Place, request: Request, error: MockError) -> Outgoing:
        """The journaled 503 for a *request* that this machine has no room for.

        Raises:
            MockError: the world of the request cannot be found or read.
        """
        began = time.perf_counter()
        world = self.turn(place, request).world
        handled = note_reply(self._worlds, world, place.provider, request, not_kept(error))
        self._report(handled, began)
        return self._outgoing(handled, fills_blocks=False)

    def _answer(self, place: Place, turn: Turn, *, fills_blocks: bool) -> Outgoing:
        if place.is_file:
            return self._file(place, turn.request)
        began = time.perf_counter()
        asked = self.forwarded(place, turn.request)
        try:
            # A caller that the mock does not know is refused by it, and spends nothing.
            if asked is not None and knows_caller(self._worlds, turn, place.provider):
                found = self._worlds, turn.world, place.provider, turn.request
                handled = note_reply(*found, asked())
            else:
                handled = handle(self._worlds, turn)
        except MockError as gone:
            return deny(Denial(gone.status, gone.code, str(gone)))
        self._warn_of_real_key(handled)
        self._report(handled, began)
        return self._outgoing(handled, fills_blocks=fills_blocks)

    def _file(self, place: Place, request: Request) -> Outgoing:
        began = time.perf_counter()
        name = place.path.removeprefix(FILES)
        try:
            found = find_asset(
                self._worlds, place.world, place.provider, name, request.method, request.query
            )
        except Exception as error:  # noqa: BLE001  the request ends here, journaled
            found = failure(self._worlds.contracts[place.provider], error)
        sent = asset_answer(found, request.headers) if isinstance(found, Asset) else found
        if self.observe_file is not None:
            contract = self._worlds.contracts[place.provider]
            self.observe_file(place.world, contract, name, sent.status)
        if isinstance(sent, Outgoing):
            return self._stored(place, request, name, sent)
        handled = note_reply(self._worlds, place.world, place.provider, request, sent)
        self._report(handled, began)
        return self._outgoing(handled, fills_blocks=False)

    def _stored(self, place: Place, request: Request, name: str, sent: Outgoing) -> Outgoing:
        """*sent*, a stored file, as the faults leave it. Few downloads are journaled."""
        began = time.perf_counter()
        kind = kind_of(self._worlds.contracts[place.provider], name)
        reply = Reply(sent.status, sent.body)
        found = self._worlds, place.world, place.provider, request, kind, reply
        handled = note_stored_file(*found)
        if handled is not None:
            self._report(handled, began)
            headers, body = list(sent.headers), reply.content
            sent.headers, sent.body = fault_effects.spoil_body(handled.faults, headers, body)
        return sent

    def _report(self, handled: Handled, began: float) -> None:
        seconds = time.perf_counter() - began
        if self.metrics is not None:
            self.metrics.note(handled, seconds)
        if self.observe is not None:
            self.observe(handled, seconds * 1_000)

    def _warn_of_real_key(self, handled: Handled) -> None:
        """Warn once when a client sends a real key."""
        refusal = handled.answer.refusal if isinstance(handled.answer, Reply) else None
        if self._has_warned or refusal is None or refusal.reason != "unknown_credential":
            return
        if looks_live(str(refusal.facts.get("sent", ""))):
            self._has_warned = True
            self._warn(
                "a request has a key that looks like a real one; the mock needs none and has not "
                "kept it: take one from `screentest env`"
            )

    def _outgoing(self, handled: Handled, *, fills_blocks: bool) -> Outgoing:
        answer, faults = handled.answer, handled.faults
        headers = list(answer.headers.items())
        if not self._is_pure:
            headers.append(("X-Screentest-Request-Id", f"req_{handled.number}"))
        if isinstance(answer, EventStream):
            sent = self._stream(handled, answer, headers, fills_blocks=fills_blocks)
        else:
            if answer.reason is not None and not self._is_pure:
                headers.append(("X-Screentest-Reason", answer.reason))
            body = b""
            if answer.body is not None:
                body = answer.content
                headers.append(("Content-Type", answer.content_type))
            headers.append(("Content-Length", str(len(body))))
            sent = Outgoing(answer.status, headers, body)
            if faults:
                sent.headers, sent.body = fault_effects.spoil_body(faults, headers, body)
        if faults:
            sent.world, sent.number = handled.world, handled.number
            sent.delay_s = fault_effects.delay_ms(faults, "machine") / 1_000
            world_ms = fault_effects.delay_ms(faults, "world")
            sent.waits = self._passing(handled.world, world_ms) if world_ms else ()
            sent.is_cut = fault_effects.is_cut_off(faults)
        return sent

    def _passing(self, world: World, by_ms: int) -> Iterator[Until]:
        """The waits until the clock of *world* has advanced by *by_ms*."""
        clocks, ends_s = self._worlds.clocks, monotonic_s() + DELAY_MS_MAX / 1_000
        due_ms = clocks.now_ms(world) + by_ms
        while clocks.now_ms(world) < due_ms and self._worlds.find(world.id) is world:
            if monotonic_s() > ends_s:
                return
            yield Until(world, due_ms, PROBE_S)

    def _stream(
        self,
        handled: Handled,
        stream: EventStream,
        headers: list[tuple[str, str]],
        *,
        fills_blocks: bool,
    ) -> Outgoing:
        events = self.streams.begin(handled.world, stream)
        if events is None:
            detail = "too many open streams; close some and try again"
            return deny(Denial(503, "too_many_streams", detail))
        headers += [
            ("Content-Type", "text/event-stream; charset=utf-8"),
            ("Cache-Control", "no-cache"),
            ("X-Accel-Buffering", "no"),
        ]
        headers, events = fault_effects.spoil_stream(
            handled.faults,
            headers,
            events,
            partial(self._passing, handled.world),
            fills_blocks=fills_blocks,
        )
        return Outgoing(stream.status, headers, events)


def deny(denial: Denial) -> Outgoing:
    """A refusal of the mock itself, as problem+json."""
    headers, body = problem(denial)
    if denial.status == 503:
        headers.append(("Retry-After", "1"))
    headers.append(("Content-Length", str(len(body))))
    return Outgoing(denial.status, headers, body)
