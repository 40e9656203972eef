"""`--db`: what was acknowledged is still there after a restart, and after a kill."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from screentest.mock_server.kernel.errors import MockError
from screentest.mock_server.store.sqlite_keeper import SqliteKeeper
from screentest.mock_server.store.store import Store
from screentest.specs.json_types import Json

_COMMAND = [sys.executable, "-m", "screentest.mock_server.cli", "serve", "--provider", "ozor"]
_START_S_MAX = 30.0
_NEWER_VERSION = 99


@contextmanager
def _serving(database: Path, *more: str) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    ready = database.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    server = subprocess.Popen(
        [*_COMMAND, "--port", "0", "--db", str(database), "--ready-file", str(ready), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + _START_S_MAX
        while not ready.exists():
            assert time.monotonic() < ends, "the server did not start"
            assert server.poll() is None, "the server has ended"
            time.sleep(0.02)
        url = ready.read_text().split('"url": "')[1].split('"')[0]
        yield url, server
    finally:
        server.kill()
        server.wait(10)


def _key(url: str) -> tuple[str, dict[str, str]]:
    world = requests.get(f"{url}/_screentest/worlds/default", timeout=10).json()
    account = world["providers"]["ozor"]["account"]
    return account["id"], {"X-API-Key": account["api_key"]}


def _generate(url: str, headers: dict[str, str]) -> Json:
    return requests.post(
        f"{url}/ozor/api/v1/videos/generate", json={"prompt": "A lamp"}, headers=headers, timeout=10
    ).json()


@pytest.mark.long
@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_acknowledged_work_survives_the_end_of_the_process(tmp_path: Path, how: str) -> None:
    database = tmp_path / "mock.db"
    with _serving(database, "--clock", "manual") as (url, server):
        account, headers = _key(url)
        made = [_generate(url, headers)["videoId"] for _ in range(5)]
        getattr(server, how)()
        server.wait(10)

    with _serving(database) as (url, _):
        videos = requests.get(f"{url}/ozor/api/v1/videos", headers=headers, timeout=10).json()
        path = f"{url}/_screentest/worlds/default"
        ledger = requests.get(f"{path}/accounts/{account}/ledger", timeout=10).json()
        clock = requests.get(f"{path}/clock", timeout=10).json()

    assert {it["videoId"] for it in videos["videos"]} == set(made)
    assert ledger["granted"] == ledger["available"] + ledger["held"] + ledger["spent"] == 10
    assert (ledger["held"], clock["mode"]) == (5, "manual")


@pytest.mark.long
def test_stopped_server_leaves_every_journal_line_in_one_file(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    with _serving(database) as (url, server):
        _, headers = _key(url)
        for _ in range(20):
            requests.get(f"{url}/ozor/api/v1/videos", headers=headers, timeout=10)
        server.terminate()
        server.wait(10)

    left = sorted(it.name for it in tmp_path.iterdir())
    with _serving(database) as (url, _):
        path = f"{url}/_screentest/worlds/default/requests?limit=200"
        lines = requests.get(path, timeout=10).json()["items"]

    assert left == ["mock.db"]
    assert [it["operation"] for it in lines] == ["listVideos"] * 20


def test_second_process_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    with _serving(database):
        second = subprocess.run(
            [*_COMMAND, "--port", "0", "--db", str(database)],
            capture_output=True,
            timeout=30,
            check=False,
        )

    assert second.returncode == 2
    assert "in use by another screentest" in second.stderr.decode()
    assert second.stderr.count(b"\n") == 1


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE somebody_elses (a)")


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE world (id)")
        connection.execute(f"PRAGMA user_version = {_NEWER_VERSION}")


def _corrupt(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4_080)


def _text(path: Path) -> None:
    path.write_text("this is a text file and not a database\n" * 20)


@pytest.mark.parametrize("make", [_foreign, _newer, _corrupt, _text])
def test_foreign_file_is_reported_in_one_line_and_left_alone(tmp_path: Path, make: Any) -> None:
    database = tmp_path / "mock.db"
    make(database)
    before = database.read_bytes()

    refused = subprocess.run(
        [*_COMMAND, "--port", "0", "--db", str(database)],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.startswith(b"error: ")
    assert refused.stderr.count(b"\n") == 1
    assert str(database).encode() in refused.stderr
    assert database.read_bytes() == before
    assert list(tmp_path.iterdir()) == [database]


def test_one_server_holds_a_file_under_all_its_names(tmp_path: Path) -> None:
    database, linked, symbolic = (tmp_path / name for name in ("mock.db", "hard.db", "soft.db"))
    keeper = SqliteKeeper(database)
    linked.hardlink_to(database)
    symbolic.symlink_to(database)

    for name in (database, linked, symbolic):
        with pytest.raises(MockError, match=rf"{name.name} is in use by another screentest; "):
            SqliteKeeper(name)

    keeper.close()
    SqliteKeeper(linked).close()


def test_file_of_version_0_1_is_refused_in_a_line(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE world (id)")
        connection.execute("CREATE TABLE api_key (digest)")
        connection.execute("PRAGMA user_version = 1")
    before = database.read_bytes()

    with pytest.raises(MockError, match=r"mock\.db as a database: it was written by .* 0\.1,"):
        SqliteKeeper(database)

    assert database.read_bytes() == before


def test_file_alone_is_whole_once_it_is_closed(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    store = Store(SqliteKeeper(database))
    with store.add("w").transaction() as rows:
        rows.count("video")

    store.close()

    assert list(tmp_path.iterdir()) == [database]
    with sqlite3.connect(database) as connection:
        (kept,) = connection.execute("SELECT doc FROM counter WHERE world = 'w'").fetchone()
    assert kept == b'{"name":"video","value":1}'


def test_file_can_be_used_once_what_was_wrong_with_it_is_gone(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    _text(database)
    with pytest.raises(MockError, match=r"as a database"):
        SqliteKeeper(database)
    database.unlink()

    keeper = SqliteKeeper(database)

    with pytest.raises(MockError, match=r"in use by another screentest"):
        SqliteKeeper(database)
    keeper.close()


@pytest.mark.long
def test_file_goes_on_with_more_providers_each_with_its_first_account(tmp_path: Path) -> None:
    database = tmp_path / "mock.db"
    with _serving(database) as (url, _):
        account, key = _key(url)
        made = _generate(url, key)
    with _serving(database, "--provider", "ulazai") as (url, _):
        world = requests.get(f"{url}/_screentest/worlds/default", timeout=10).json()
        listed = requests.get(f"{url}/ozor/api/v1/videos", headers=key, timeout=10).json()
        token = {"Authorization": f"Token {world['env']['ULAZAI_API_KEY']}"}
        path = "/api/v1/sora/generate/text-to-video/"
        body = {"prompt": "A paper boat sails down a gutter after the rain"}
        new = requests.post(f"{url}/ulazai{path}", json=body, headers=token, timeout=10)

    assert sorted(world["providers"]) == ["ozor", "ulazai"]
    assert world["providers"]["ozor"]["account"]["id"] == account
    assert [it["videoId"] for it in listed["videos"]] == [made["videoId"]]
    assert new.status_code == 201


@pytest.mark.long
def test_file_with_accounts_that_would_not_be_served_is_refused_and_left_alone(
    tmp_path: Path,
) -> None:
    database = tmp_path / "mock.db"
    with _serving(database) as (url, _):
        _, key = _key(url)
        made = _generate(url, key)

    refused = subprocess.run(
        [*_COMMAND[:-1], "ulazai", "--port", "0", "--db", str(database)],
        capture_output=True,
        text=True,
        timeout=_START_S_MAX,
        check=False,
    )

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: the database holds accounts of ozor; "
        "serve what it holds and more, or name another file\n"
    )
    with _serving(database) as (url, _):
        listed = requests.get(f"{url}/ozor/api/v1/videos", headers=key, timeout=10).json()
    assert [it["videoId"] for it in listed["videos"]] == [made["videoId"]]
