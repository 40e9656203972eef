"""Resources of a world, jobs among them: by id, account, parent, and jobs that hold a place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter

import orjson
from msgspec.structs import replace

from screentest.specs.contracts.redaction import Redactor
from screentest.specs.json_types import Json

from ..kernel.rows import Resource
from .table import Log, Ordered, Table, grouped

#: (provider, kind, id)
Place = tuple[str, str, str]

_NEVER_MS = 2**62
_PLAIN = (int, float, type(None))
_ACCOUNT = attrgetter("account")
_KIND, _OWNER = attrgetter("provider", "kind"), attrgetter("provider", "kind", "account")
_PARENT = attrgetter("parent")


class Resources(Table[Place, Resource]):
    """The resources of one world."""

    name = "resource"
    key_parts = 3

    def __init__(self, log: Log, redactor: Redactor) -> None:
        self._redactor = redactor
        super().__init__(log)

    def empty(self) -> None:
        # By kind and then by id: a key of three texts for each row would be a quarter of its size.
        self._kinds: dict[tuple[str, str], dict[str, Resource]] = {}
        self._of_account: Ordered[Resource] = Ordered()
        self._of_parent: Ordered[Resource] = Ordered()
        self._jobs: Ordered[Resource] = Ordered()
        self._all: Ordered[Resource] = Ordered()
        self._looked_at_seq = 0
        self._running: dict[str, list[Resource]] = {}
        # Ids with slashes, by the form that they have in paths of the control API.
        self._aliases: dict[str, str] = {}

    def key_of(self, row: Resource) -> Place:
        return row.provider, row.kind, row.id

    def order_of(self, row: Resource) -> int:
        return row.seq

    def get(self, key: Place) -> Resource | None:
        return self.find(*key)

    def all(self) -> Iterable[Resource]:
        return chain.from_iterable(kind.values() for kind in self._kinds.values())

    def put(self, row: Resource) -> None:
        """Add *row*, or replace the one with its id. Credentials in its texts are redacted."""
        key = self.key_of(row)
        before = self.find(*key)
        self._change(key, before, self._without_keys(before, row))

    def _place(self, key: Place, before: Resource | None, row: Resource | None) -> None:
        kind = self._kinds.setdefault(key[:2], {})
        if row is None:
            kind.pop(key[2], None)
        else:
            kind[key[2]] = row
        self.index(before, row)

    def load(self, rows: Iterable[Resource]) -> None:
        every = [*rows]
        for kind, of_kind in grouped(every, _KIND).items():
            # A loop, in which other worlds get the interpreter's lock.
            self._kinds[kind] = {it.id: it for it in of_kind}
        self._aliases = {it.id.replace("/", "_"): it.id for it in every if "/" in it.id}
        self._running = grouped((it for it in every if it.is_running_slot), _ACCOUNT)
        self._of_account.load(every, _OWNER)
        self._of_parent.load((it for it in every if it.parent is not None), _PARENT)
        self._all.fill(None, every)
        self._jobs.fill(None, [it for it in every if it.script is not None])
        for running in self._running.values():
            running.sort(key=_end_ms)

    def index(self, before: Resource | None, row: Resource | None) -> None:
        known = row or before
        if known is None:
            return
        self._of_account.change((known.provider, known.kind, known.account), before, row)
        if known.parent is not None:
            self._of_parent.change(known.parent, before, row)
        self._all.change(None, before, row)
        if known.script is not None:
            self._jobs.change(None, before, row)
        if known.is_running_slot:
            self._index_running(known.account, before, row)
        if "/" in known.id:
            alias = known.id.replace("/", "_")
            if row is not None:
                self._aliases[alias] = row.id
            else:
                self._aliases.pop(alias, None)

    def _index_running(self, account: str, before: Resource | None, row: Resource | None) -> None:
        rows = self._running.setdefault(account, [])
        if before is not None:
            at = bisect_left(rows, _end_ms(before), key=_end_ms)
            del rows[rows.index(before, at)]
        if row is not None:
            insort(rows, row, key=_end_ms)

    def _without_keys(self, before: Resource | None, row: Resource) -> Resource:
        """*row* without credentials, which a prompt or a reason may contain by mistake."""
        redactor, changes = self._redactor, dict[str, object]()
        known = before.doc if before is not None else {}
        # What was there before has been looked at, and a number has no credential in it.
        new = [
            value
            for name, value in row.doc.items()
            if not isinstance(value, _PLAIN) and known.get(name) is not value
        ]
        if new and redactor.may_have_shape(orjson.dumps(new).decode()):
            raw = orjson.dumps(row.doc).decode()
            doc: Mapping[str, Json] = orjson.loads(redactor.cut_shapes(raw))
            changes["doc"] = doc
        is_same = before is not None and before.script is row.script
        if row.script is not None and row.script.reason and not is_same:
            reason = redactor.cut_shapes(row.script.reason)
            changes["script"] = replace(row.script, reason=reason)
        return replace(row, **changes) if changes else row

    # Queries

    @property
    def job_count(self) -> int:
        """How many resources have a script."""
        return self._jobs.count(None)

    @property
    def count(self) -> int:
        """How many resources there are."""
        return self._all.count(None)

    def next_oldest(self, limit: int) -> list[Resource]:
        """The next *limit* resources in a walk from the oldest to the newest, and over again."""
        rows = self._all.page(None, after_seq=self._looked_at_seq, limit=limit)
        self._looked_at_seq = rows[-1].seq if len(rows) == limit else 0
        return rows

    @property
    def last_seq(self) -> int:
        """The number of the newest resource; 0 if there is none."""
        newest = self._all.page(None, newest_first=True, limit=1)
        return newest[0].seq if newest else 0

    def below(self, id_: str) -> Sequence[Resource]:
        """The resources directly below the one called *id_*, of any kind."""
        return self._of_parent.of(id_)

    def find(self, provider: str, kind: str, id_: str) -> Resource | None:
        """The resource of a *kind* called *id_*."""
        rows = self._kinds.get((provider, kind))
        return rows.get(id_) if rows is not None else None

    def of_account(
        self,
        provider: str,
        kind: str,
        account: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        newest_first: bool = True,
        limit: int | None = None,
    ) -> list[Resource]:
        """Resources of a *kind* that *account* owns, newest first by default."""
        return self._of_account.page(
            (provider, kind, account),
            after_seq=after_seq,
            before_seq=before_seq,
            newest_first=newest_first,
            limit=limit,
        )

    def children(self, provider: str, kind: str, parent: str) -> list[Resource]:
        """Resources of a *kind* below *parent*, newest first."""
        rows = reversed(self._of_parent.of(parent))
        return [it for it in rows if it.kind == kind and it.provider == provider]

    def newest_child(self, provider: str, kind: str, parent: str) -> Resource | None:
        """The newest resource of a *kind* below *parent*."""
        for row in reversed(self._of_parent.of(parent)):
            if row.kind == kind and row.provider == provider:
                return row
        return None

    def jobs(self, *, before_seq: int | None, limit: int) -> list[Resource]:
        """Resources with a script, newest first."""
        return self._jobs.page(None, before_seq=before_seq, newest_first=True, limit=limit)

    def jobs_called(self, id_: str) -> list[Resource]:
        """Jobs with the id *id_*, of any provider and kind; `_` may replace the slashes in it."""
        names = {id_, self._aliases.get(id_, id_)}
        found = (kind.get(name) for kind in self._kinds.values() for name in names)
        return [it for it in found if it is not None and it.script is not None]

    def running(self, account: str, now_ms: int) -> list[Resource]:
        """Jobs of *account* that hold a place at *now_ms*."""
        rows = self._running.get(account, [])
        return rows[bisect_right(rows, now_ms, key=_end_ms) :]


def _end_ms(job: Resource) -> int:
    ends_ms = job.script.ends_ms if job.script is not None else None
    return job.created_ms + ends_ms if ends_ms is not None else _NEVER_MS
