"""The tables of one world, and what concerns all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from ..kernel.errors import MockError
from ..kernel.rows import Key, WorldRow
from ..kernel.snapshots import BESIDE
from .account_tables import Accounts, Entries, Keys, KeyUses
from .contents import in_order
from .effect_table import Effects
from .history_tables import Events, Journal
from .keeper import key_text
from .recent_tables import Marks, PaymentReads, Payments
from .resource_table import Resources
from .retention import make_room
from .small_tables import Counters, Deliveries, Documents, RateHits, Replays, Snapshots
from .surroundings import Surroundings
from .table import Log, Table


class Worlds(Table[str, WorldRow]):
    """The world's own row."""

    name = "world"

    def key_of(self, row: WorldRow) -> str:
        return row.id


class WorldTables:
    """The rows of one world. Tables are written while the log is open."""

    def __init__(self, world_id: str, around: Surroundings) -> None:
        self.id = world_id
        self.redactor = around.redactor
        self._around = around
        #: Ids of dropped resources, and when the last signed URL for an id ends: as remembered.
        self.dropped_ids: dict[tuple[str, str, str], None] = {}
        self._signed: dict[str, int] = {}
        self._log = log = Log()
        self._world = Worlds(log)
        self.accounts = Accounts(log)
        self.keys = Keys(log, around.holders, world_id)
        self.key_uses = KeyUses(log)
        self.entries = Entries(log)
        self.resources = Resources(log, around.redactor)
        self.effects = Effects(log)
        self.events = Events(log)
        self.journal = Journal(log, around.worlds)
        self.replays = Replays(log)
        self.hits = RateHits(log)
        self.deliveries = Deliveries(log)
        self.documents = Documents(log)
        self.counters = Counters(log)
        self.snapshots = Snapshots(log)
        self.marks = Marks(log)
        self.payment_reads = PaymentReads(log)
        self.payments = Payments(log, self.payment_reads)
        self.count = self.counters.next
        #: The tables that a reset empties, and all tables.
        self.tables: dict[str, Table[Any, Any]] = {
            it.name: it
            for it in (
                self.accounts,
                self.keys,
                self.key_uses,
                self.counters,
                self.deliveries,
                self.documents,
                self.effects,
                self.entries,
                self.events,
                self.hits,
                self.journal,
                self.marks,
                self.payment_reads,
                self.payments,
                self.replays,
                self.resources,
            )
        }
        self.kept = {**self.tables, "world": self._world, "snapshot": self.snapshots}

    # The world's own row

    @property
    def world(self) -> WorldRow:
        return self._world.rows[self.id]

    @property
    def has_begun(self) -> bool:
        """Whether the world has its own row yet."""
        return self.id in self._world.rows

    def holder(self, digest: str) -> tuple[str, Key] | None:
        """The id of the world that has the key with *digest*, and that key; searches all worlds.

        Raises:
            NotKeptError: the keeper cannot be read.
        """
        return self._around.holder(digest)

    def save_world(self, row: WorldRow) -> None:
        self._world.put(row)

    # History

    def make_room(self, now_ms: int) -> None:
        """Drop some history if this process has more resources than it keeps."""
        make_room(self, self._around.worlds, self._around.keep, now_ms)

    def note_signed(self, id_: str, until_ms: int) -> None:
        """Note that a signed URL for the resource *id_* opens until then."""
        self._signed.pop(id_, None)
        self._signed[id_] = until_ms
        if len(self._signed) > max(self._around.keep, 1):
            del self._signed[next(iter(self._signed))]

    def signed_until_ms(self, id_: str) -> int:
        """When the last signed URL for the resource *id_* ends; 0 if there was none."""
        return self._signed.get(id_, 0)

    # All rows at once

    def clear(self) -> None:
        """Remove every row but the world's own and its snapshots."""
        assert self._log.is_open, "writes belong into a transaction"
        for table in self.tables.values():
            table.clear()

    def restore(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Add the pairs (table, row) of a snapshot to this world, which is empty.

        Raises:
            MockError: they contradict each other, or bring keys that another world has.
        """
        for table, row in in_order(self.kept, rows):
            try:
                if table.get(table.key_of(row)) is not None:
                    raise ValueError(f"{key_text(table.key_of(row))!r} occurs twice")
                table.put(row)
            except ValueError as error:
                raise MockError(
                    f"the snapshot has an invalid row of {table.name!r}: {error}",
                    code="damaged_snapshot",
                ) from None

    def rows(self) -> Iterator[tuple[str, Struct]]:
        """(table, row) of everything in a snapshot: tables by name, rows by their keys."""
        for name in sorted(self.tables.keys() - BESIDE):
            table = self.tables[name]
            for row in sorted(table.all(), key=table.key_of):
                yield name, table.kept(row)
