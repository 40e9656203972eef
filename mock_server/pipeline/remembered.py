"""Answers to polls, reused while nothing can have changed them.

Clients poll a job far more often than it changes. An answer is kept with the revision of its world,
the instant until which everything that it shows lasts (`Lasting`), and the headers that were read.
The same poll then needs no gate, no handler and no check. The traces of a call are made again each
time: its number, journal line, findings, and the time at which its key was used last.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..engine.instant import Instant
from ..engine.provider import Call, Reply, Request
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import NEVER_MS
from ..kernel.rows import KeyUse
from .journal import JournalLine

#: Polls of a world whose answers are kept: more than the jobs that a client polls at a time.
KEPT_MAX = 1_000


class Remembered(Struct, frozen=True):
    """The *answer* to a *call* that changed nothing.

    It holds until *until_ms* while its world has this *revision*, and for a request with the same
    values in the headers that were read (*asked*).
    """

    call: Call
    answer: Reply
    revision: int
    until_ms: int
    asked: Sequence[tuple[str, str | None]]

    @property
    def world(self) -> World:
        return self.call.ctx.world

    def call_again(self, request: Request, now_ms: int) -> Call | None:
        """The same call at *now_ms*, made by *request*; None if its answer may differ."""
        ctx = self.call.ctx
        world = ctx.world
        if world.rows.revision != self.revision or now_ms >= self.until_ms:
            return None
        number, lasting = world.rows.journal.last_seq + 1, ctx.lasting
        call: Call = self.call.__copy__()  # type: ignore[attr-defined]  # every struct has it
        call.request = request
        call.ctx = Instant(ctx.contract, world, now_ms, ctx.base_url, number, lasting)
        note_use(call)
        return call


def note_use(call: Call) -> None:
    """Note when the key of *call* was used."""
    key, uses, now_ms = call.key, call.ctx.rows.key_uses, call.ctx.at_ms
    # Many polls share a millisecond, and the row of the first of them says it all.
    if key is not None and uses.last_ms(key.digest) != now_ms:
        uses.put(KeyUse(key.digest, now_ms))


def recall(worlds: Worlds, world: World, provider_id: str, request: Request) -> Remembered | None:
    """The kept answer to the same poll of *world*. `call_again` says whether it still holds."""
    if request.method != "GET" or not world.remembered:
        return None
    known: Remembered | None = world.remembered.get(_place(worlds, provider_id, request))
    if known is None or worlds.find(known.world.id) is not known.world:
        return None
    for name, value in known.asked:
        if request.headers.get(name) != value:
            return None
    return known


def watch(call: Call) -> Call:
    """*call*, noting what its answer depends on if it may be remembered."""
    request = call.request
    if request.method != "GET" or request.body or request.problem or call.rules.effect != "read":
        return call
    call.request = replace(request, headers=HeadersAsked(request.headers))
    return call


def keep(worlds: Worlds, entry: World, note: JournalLine) -> None:
    """Remember the answer of *note* for polls to *entry*, inside the transaction of the call."""
    call, answer = note.call, note.answer
    ctx, headers = call.ctx, call.request.headers
    if not (
        isinstance(headers, HeadersAsked)
        and isinstance(answer, Reply)
        and call.key is not None
        and note.made is None
        and answer.status < 300
        and not (call.key_suffix or call.is_exposed or call.warnings or headers.were_listed)
    ):
        return
    # The next effect may change a row, and with it the answer.
    due = ctx.rows.effects.next()
    until_ms = min(ctx.lasting.until_ms, due.due_ms if due is not None else NEVER_MS)
    if until_ms <= ctx.at_ms:
        return
    credentials = ctx.behaviour.credential_headers
    # Credentials are part of the place, so equal polls of two accounts do not meet.
    asked = [(name, it) for name, it in headers.asked.items() if name not in credentials]
    remembered, place = entry.remembered, _place(worlds, ctx.provider, call.request)
    if len(remembered) >= KEPT_MAX and place not in remembered:
        del remembered[next(iter(remembered))]
    remembered[place] = Remembered(call, answer, ctx.rows.revision, until_ms, asked)


def _place(worlds: Worlds, provider_id: str, request: Request) -> Hashable:
    """What two equal polls have in common; the headers are those of all credentials."""
    get = request.headers.get
    names = worlds.contracts[provider_id].behaviour.credential_headers
    return provider_id, request.path, request.query, request.base_url, *map(get, names)


class HeadersAsked(Mapping[str, str]):
    """Headers that note which of them were read."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self.asked: dict[str, str | None] = {}
        self.were_listed = False

    def get(self, name: str, default: Any = None) -> Any:
        value = self.asked[name] = self._headers.get(name)
        return default if value is None else value

    def __getitem__(self, name: str) -> str:
        value = self.asked[name] = self._headers.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        self.were_listed = True
        return iter(self._headers)

    def __len__(self) -> int:
        self.were_listed = True
        return len(self._headers)
