"""A world's rows as plain lists that are scanned, and the same questions to them and to tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec import structs

from screentest.mock_server.kernel.clock import Clock, Mode
from screentest.mock_server.kernel.lifecycle import Script
from screentest.mock_server.kernel.rows import (
    Account,
    Effect,
    Entry,
    Event,
    Key,
    Resource,
    Settings,
    WorldRow,
)
from screentest.mock_server.store.history_tables import Line
from screentest.mock_server.store.working_set import WorkingSet

ACCOUNTS = ("acct_1", "acct_2")
KINDS = ("video", "job")
PARENTS = (None, "v1", "v2")
BUCKETS = ("per minute", "per day")
DOCUMENT_KINDS = ("fault", "delivery")
INSTANTS = range(0, 100, 20)


@dataclass
class PlainLists:
    """What the tables should hold. Every question scans everything."""

    resources: list[Resource] = field(default_factory=list[Resource])
    effects: list[Effect] = field(default_factory=list[Effect])
    entries: list[Entry] = field(default_factory=list[Entry])
    events: list[Event] = field(default_factory=list[Event])
    hits: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    documents: list[tuple[str, str, int, int]] = field(
        default_factory=list[tuple[str, str, int, int]]
    )
    keys: list[Key] = field(default_factory=list[Key])
    lines: list[int] = field(default_factory=list[int])
    counted: int = 0
    accounts: dict[str, int] = field(default_factory=dict[str, int])

    def copy(self) -> PlainLists:
        """The same rows in lists of their own."""
        copies: dict[str, Any] = {
            name: value.copy() if isinstance(value, (list, dict)) else value
            for name, value in vars(self).items()
        }
        return PlainLists(**copies)


def answers_of_lists(lists: PlainLists) -> dict[str, Any]:
    """What every query of the tables should answer."""
    newest = sorted(lists.resources, key=lambda it: -it.seq)
    due = sorted(lists.effects, key=lambda it: (it.due_ms, it.seq))
    found: dict[str, Any] = {"counted": lists.counted, "pending": len(due), "lines": lists.lines}
    found["next"] = due[0] if due else None
    found["next step"] = next((it for it in due if it.kind == "step"), None)
    found["jobs"] = [it for it in newest if it.script is not None]
    found["events"] = lists.events
    for account in ACCOUNTS:
        found[f"money {account}"] = lists.accounts.get(account)
        found[f"entries {account}"] = [it for it in lists.entries if it.account == account]
        found[f"keys {account}"] = [it for it in lists.keys if it.account == account]
        for kind in KINDS:
            mine = [it for it in newest if it.account == account and it.kind == kind]
            found[f"{kind} of {account}"] = mine
            found[f"{kind} page of {account}"] = [it for it in mine if 3 <= it.seq < 9][-3:][::-1]
        for now_ms in INSTANTS:
            found[f"running {account} {now_ms}"] = {
                it.id
                for it in lists.resources
                if it.account == account and it.is_running_slot and _end(it) > now_ms
            }
    for parent in PARENTS[1:]:
        found[f"below {parent}"] = [it for it in newest if it.parent == parent and it.kind == "job"]
        found[f"for {parent}"] = [
            it
            for account in ACCOUNTS
            for it in lists.entries
            if (it.account, it.job) == (account, parent)
        ]
    for bucket in BUCKETS:
        found[bucket] = [at for name, at in lists.hits if name == bucket and at > 40]
    for kind in DOCUMENT_KINDS:
        rows = sorted((it for it in lists.documents if it[0] == kind), key=lambda it: it[2])
        found[kind] = [{"n": it[3]} for it in rows]
    return found


def answers_of_tables(rows: WorkingSet) -> dict[str, Any]:
    """What every query of the tables answers."""
    found: dict[str, Any] = {
        "counted": rows.counters.rows["n"].value if "n" in rows.counters.rows else 0,
        "pending": len(rows.effects),
        "lines": [seq for seq, _ in rows.journal.page(after=0, limit=1_000, filters={})],
        "next": rows.effects.next(),
        "next step": rows.effects.next("step"),
        "jobs": rows.resources.jobs(before_seq=None, limit=1_000),
        "events": rows.events.page(since=0, limit=1_000),
    }
    for account in ACCOUNTS:
        sums = rows.accounts.get(account)
        found[f"money {account}"] = sums.available if sums is not None else None
        found[f"entries {account}"] = rows.entries.of(account)
        found[f"keys {account}"] = rows.keys.of(account, "api_key")
        for kind in KINDS:
            found[f"{kind} of {account}"] = rows.resources.of_account("p", kind, account)
            found[f"{kind} page of {account}"] = rows.resources.of_account(
                "p", kind, account, after_seq=2, before_seq=9, newest_first=False, limit=3
            )
        for now_ms in INSTANTS:
            running = rows.resources.running(account, now_ms)
            found[f"running {account} {now_ms}"] = {it.id for it in running}
    for parent in PARENTS[1:]:
        found[f"below {parent}"] = rows.resources.children("p", "job", parent)
        found[f"for {parent}"] = [
            it for account in ACCOUNTS for it in rows.entries.of_job(account, parent)
        ]
    for bucket in BUCKETS:
        found[bucket] = rows.hits.since(bucket, 40)
    for kind in DOCUMENT_KINDS:
        found[kind] = rows.documents.of(kind)
    return found


def _end(job: Resource) -> int:
    assert job.script is not None
    ends_ms = job.script.ends_ms
    return job.created_ms + ends_ms if ends_ms is not None else 2**62


Change = Callable[[Random, PlainLists, WorkingSet], None]


def begin(rows: WorkingSet) -> PlainLists:
    """A world with its two accounts, in *rows* and in lists."""
    with rows.transaction():
        rows.save_world(WorldRow(rows.id, 1, Clock(Mode.MANUAL, 0, 0), rows.id, Settings(), {}))
        for account in ACCOUNTS:
            rows.accounts.put(Account(account, "p", "free", 0, 0, 0, 0, 0))
    return PlainLists(accounts=dict.fromkeys(ACCOUNTS, 0))


def _add_resource(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    seq = max((it.seq for it in lists.resources), default=0) + rng.randint(1, 2)
    is_job = rng.random() < 0.7
    script = Script(((0, "waiting"), (rng.choice(INSTANTS), "done"))) if is_job else None
    kind, parent = rng.choice(KINDS), rng.choice(PARENTS)
    account = rng.choice(ACCOUNTS)
    made = Resource("p", kind, f"r{seq}", account, parent, seq, 0, {}, script, is_job)
    lists.resources.append(made)
    rows.resources.put(made)


def _change_resource(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    if not lists.resources:
        return
    at = rng.randrange(len(lists.resources))
    before = lists.resources[at]
    script = before.script
    if script is not None:
        script = Script(
            ((0, "waiting"), (rng.choice(INSTANTS), "done")), held_ms=rng.choice([None, 5])
        )
    changed = structs.replace(before, doc={"n": rng.random()}, script=script)
    lists.resources[at] = changed
    rows.resources.put(changed)


def _remove_resource(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    if lists.resources:
        gone = lists.resources.pop(rng.randrange(len(lists.resources)))
        assert rows.resources.remove(rows.resources.key_of(gone))


def _add_effect(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    seq = rows.count("effect")
    kind = rng.choice(["step", "delivery"])
    made = Effect(seq, rng.choice(INSTANTS), kind, f"p/job/{seq}", 1, "job.done")
    lists.effects.append(made)
    rows.effects.put(made)


def _remove_effect(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    if lists.effects:
        gone = lists.effects.pop(rng.randrange(len(lists.effects)))
        assert rows.effects.remove(gone.subject)


def _move_money(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    account, amount = rng.choice(ACCOUNTS), rng.randint(1, 9)
    is_grant = rng.random() < 0.6
    signed = amount if is_grant else -amount
    is_moved = rows.accounts.move(account, signed, signed, 0, 0)
    assert is_moved == (lists.accounts[account] + signed >= 0)
    if is_moved:
        lists.accounts[account] += signed
        kind, job = "grant" if is_grant else "withdraw", rng.choice(PARENTS)
        entry = Entry(rows.count("entry"), account, 0, kind, amount, job, None)
        rows.entries.put(entry)
        lists.entries.append(entry)


def _count(_: Random, lists: PlainLists, rows: WorkingSet) -> None:
    lists.counted += 1
    assert rows.count("n") == lists.counted


def _add_event(_: Random, lists: PlainLists, rows: WorkingSet) -> None:
    made = Event(rows.count("event"), 0, "job.done", "r1", {})
    lists.events.append(made)
    rows.events.put(made)


def _add_hit(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    bucket = rng.choice(BUCKETS)
    at_ms = max((at for name, at in lists.hits if name == bucket), default=0) + rng.randint(0, 9)
    lists.hits = [it for it in lists.hits if it[0] != bucket or it[1] > at_ms - 50]
    lists.hits.append((bucket, at_ms))
    rows.hits.add(bucket, at_ms, at_ms - 50)


def _save_document(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    kind, id_, n = rng.choice(DOCUMENT_KINDS), f"d{rng.randint(1, 4)}", rng.randint(0, 9)
    seq = len(lists.documents) + 1 + max((it[2] for it in lists.documents), default=0)
    known = next((it for it in lists.documents if it[:2] == (kind, id_)), None)
    lists.documents = [it for it in lists.documents if it is not known]
    lists.documents.append((kind, id_, known[2] if known is not None else seq, n))
    rows.documents.save(kind, id_, seq, {"n": n})


def _remove_document(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    if lists.documents:
        gone = lists.documents.pop(rng.randrange(len(lists.documents)))
        assert rows.documents.remove((gone[0], gone[1]))


def _add_key(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    seq = rows.count("key")
    digest = f"{rows.id} {seq}"
    made = Key(digest, rng.choice(ACCOUNTS), "p", f"k{seq}", "api_key", "", "sk_", True, 0, seq)
    lists.keys.append(made)
    rows.keys.put(made)


def _deactivate_key(rng: Random, lists: PlainLists, rows: WorkingSet) -> None:
    if lists.keys:
        at = rng.randrange(len(lists.keys))
        lists.keys[at] = structs.replace(lists.keys[at], is_active=False)
        rows.keys.deactivate(lists.keys[at].digest)


def _add_line(_: Random, lists: PlainLists, rows: WorkingSet) -> None:
    seq = rows.journal.last_seq + 1
    lists.lines.append(seq)
    rows.journal.add(Line(seq, 0, "p", "op", 200, lambda: b'{"id":"req"}'))


def _clear(_: Random, lists: PlainLists, rows: WorkingSet) -> None:
    rows.clear()
    begun = PlainLists()
    vars(lists).update(vars(begun))
    for account in ACCOUNTS:
        rows.accounts.put(Account(account, "p", "free", 0, 0, 0, 0, 0))
    lists.accounts = dict.fromkeys(ACCOUNTS, 0)


#: What happens, more often what happens more often.
CHANGES: tuple[Change, ...] = (
    *[_add_resource, _change_resource, _add_effect, _remove_effect, _move_money] * 4,
    *[_remove_resource, _count, _add_event, _add_hit, _save_document, _add_line] * 2,
    *[_remove_document, _add_key, _deactivate_key],
)
RARE: tuple[Change, ...] = (_clear,)
