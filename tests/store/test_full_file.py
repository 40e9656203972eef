"""A file that cannot grow: SQLite's own error is a 503, and everything goes on with more space."""

from __future__ import annotations

from pathlib import Path

from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from tests.mock_client import MockWorld, make_world
from tests.ozor import steps as ozor


class Disk(SqliteKeeper):
    """A file on a disk whose space the test sets."""

    def limit(self, pages: int) -> None:
        """Let the file have *pages* more pages than it has, at most."""
        (count,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._connection.execute(f"PRAGMA max_page_count = {count + pages}")


def test_a_full_disk_takes_no_credits_and_is_used_again_once_it_has_space(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "mock.db")
    wsgi = WsgiClient(create_app(keeper=disk))
    account = make_world(wsgi).account("ozor", credits=1_000)
    disk.limit(3)
    answers = [
        account.client.post(ozor.GENERATE, json={"prompt": f"lamp {number} " + "x" * 900})
        for number in range(60)
    ]
    full = [it for it in answers if it.status == 503]
    made = [it.json() for it in answers if it.status == 200]

    assert len(full) + len(made) == 60
    assert full
    assert made
    assert {it.json()["code"] for it in full} == {"not_kept"}
    assert {it.headers["retry-after"] for it in full} == {"1"}
    assert account.money == (1_000 - len(made), len(made), 0)
    assert wsgi.get("/_screentest/health").status_code == 200

    disk.limit(10_000)
    made.append(ozor.generate(account))
    wsgi.application.extensions["screentest"].store.close()  # type: ignore[attr-defined]  # Flask's

    again = WsgiClient(create_app(database=tmp_path / "mock.db"))
    world = MockWorld(again, account.world.id, account.world.control)
    jobs = again.get(f"/_screentest/worlds/{world.id}/jobs?limit=200").get_json()["items"]
    ledger = again.get(f"/_screentest/worlds/{world.id}/accounts/{account.id}/ledger").get_json()
    assert {it["id"] for it in jobs} == {it["jobId"] for it in made}
    assert (ledger["available"], ledger["held"]) == (1_000 - len(made), len(made))
