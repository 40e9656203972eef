"""Several mocks over one database: each answers as if it were alone with all of them."""

from __future__ import annotations

import threading
from time import monotonic

import pytest
from flask import Flask
from werkzeug.test import Client

from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.errors import MockError
from screentest.mock_server.store.postgres.keeper import PostgresKeeper
from screentest.specs.json_types import Json
from tests.ozor.steps import job_path
from tests.postgres.conftest import MakeReplica
from tests.postgres.server import PostgresServer

pytestmark = pytest.mark.postgres

_CONTROL = "/_screentest/worlds/default"
_GENERATE = "/ozor/api/v1/videos/generate"


class Replica:
    """A client of one mock, with the Ozor key of its default world."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.http = Client(app)
        self.key = self.get(_CONTROL)["env"]["OZOR_API_KEY"]

    def get(self, path: str) -> Json:
        """The JSON that a control call answers."""
        return self.http.get(path).get_json()

    def control(self, method: str, path: str = "", **body: Json) -> Json:
        """What a control call of the default world answers."""
        answer = self.http.open(_CONTROL + path, method=method, json=body or None)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    def create(self, prompt: str = "A lamp") -> tuple[int, Json]:
        """Ask for a video."""
        headers = {"X-API-Key": self.key}
        answer = self.http.post(_GENERATE, json={"prompt": prompt}, headers=headers)
        return answer.status_code, answer.get_json()

    def poll(self, made: Json) -> None:
        """Ask how the job of a creation gets on."""
        self.http.get(f"/ozor{job_path(made)}", headers={"X-API-Key": self.key})

    def findings(self) -> Json:
        """All findings."""
        return self.get(f"{_CONTROL}/findings")["items"]

    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        return [it["id"] for it in self.get(f"{_CONTROL}/jobs")["items"]]

    def lines(self) -> list[str]:
        """The numbers of all journal lines."""
        return [it["id"] for it in self.get(f"{_CONTROL}/requests")["items"]]

    def now(self) -> str:
        return str(self.get(_CONTROL)["clock"]["now"])


@pytest.fixture
def two(make_replica: MakeReplica) -> tuple[Replica, Replica]:
    """Two replicas of one mock."""
    return Replica(make_replica()), Replica(make_replica())


@pytest.mark.parametrize("database", ["SQL_ASCII"], indirect=True)
def test_database_without_an_encoding_keeps_every_text(make_replica: MakeReplica) -> None:
    _, job = Replica(make_replica()).create("Ein Bücherregal, 本棚")

    assert Replica(make_replica()).jobs() == [job["jobId"]]


@pytest.mark.parametrize("database", ["LATIN1"], indirect=True)
def test_database_that_cannot_hold_every_text_is_refused(database: str) -> None:
    with pytest.raises(MockError, match="its encoding is LATIN1, .* with ENCODING 'UTF8'"):
        PostgresKeeper(database, seconds=monotonic)


def test_what_one_replica_makes_the_other_has_at_once(two: tuple[Replica, Replica]) -> None:
    first, second = two
    for replica in (first, second, second, first):
        assert replica.create()[0] == 200

    assert len(first.jobs()) == 4
    assert first.jobs() == second.jobs()
    assert first.lines() == second.lines() == ["req_1", "req_2", "req_3", "req_4"]
    ledger = f"{_CONTROL}/accounts/acct_1/ledger"
    assert first.get(ledger) == second.get(ledger)


def test_a_clock_that_one_replica_moves_has_moved_in_the_other(
    two: tuple[Replica, Replica],
) -> None:
    first, second = two
    first.create()

    second.control("POST", "/clock/advance", until="idle")

    assert first.now() == second.now() != "2027-01-15T08:00:00Z"
    assert first.get(f"{_CONTROL}/events") == second.get(f"{_CONTROL}/events")


def test_findings_compare_calls_that_reach_different_replicas(
    two: tuple[Replica, Replica],
) -> None:
    first, second = two
    job = first.create()[1]
    first.poll(job)
    first.control("POST", "/clock/advance", by_ms=1)
    second.poll(job)
    first.create(prompt="")
    second.create(prompt="")

    found = first.findings()
    assert found == second.findings()
    assert [(it["code"], it["where"]["id"]) for it in found] == [
        ("SC201", "req_3"),
        ("SC108", "req_4"),
        ("SC108", "req_5"),
        ("SC205", "req_5"),
    ]


def test_a_paid_job_that_another_replica_shows_was_not_paid_in_vain(
    two: tuple[Replica, Replica],
) -> None:
    first, second = two
    job = first.create()[1]
    first.control("POST", "/clock/advance", until="idle")

    second.control("POST", "/clock/advance", by_ms=3_600_000)

    assert [it["code"] for it in second.findings()] == ["SC212"]

    second.poll(job)
    assert first.findings() == []


def test_a_reset_of_one_replica_empties_the_other(two: tuple[Replica, Replica]) -> None:
    first, second = two
    second.create()
    second.create()

    first.control("POST", "/reset")

    assert second.jobs() == []
    assert second.create()[0] == 200
    assert first.lines() == second.lines() == ["req_1"]


def test_a_world_of_one_replica_is_found_used_and_deleted_by_the_other(
    two: tuple[Replica, Replica],
) -> None:
    first, second = two
    made = first.http.post("/_screentest/worlds", json={"clock": {"mode": "manual"}}).get_json()
    place = f"/_screentest/worlds/{made['id']}"
    key = {"X-API-Key": made["env"]["OZOR_API_KEY"]}

    assert second.get(place)["id"] == made["id"]
    # The key alone leads there too.
    assert second.http.post(_GENERATE, json={"prompt": "x"}, headers=key).status_code == 200
    assert len(first.get(f"{place}/jobs")["items"]) == 1

    assert second.http.delete(place).status_code == 204
    assert first.http.get(place).status_code == 404
    assert first.http.post(_GENERATE, json={"prompt": "x"}, headers=key).status_code == 401


def test_worlds_that_two_replicas_make_have_different_names(two: tuple[Replica, Replica]) -> None:
    names = [
        replica.http.post("/_screentest/worlds", json={}).get_json()["id"]
        for replica in (*two, *two)
    ]

    assert names == ["w_1", "w_2", "w_3", "w_4"]


def test_calls_of_two_replicas_at_the_same_time_pay_once_each(
    two: tuple[Replica, Replica],
) -> None:
    """Of 20 calls by an account with 10 credits, ten are paid."""
    first, second = two
    statuses: list[int] = []

    def call(replica: Replica) -> None:
        statuses.extend(replica.create()[0] for _ in range(5))

    threads = [threading.Thread(target=call, args=(it,)) for it in (first, second, first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 10 + [402] * 10
    assert len(first.jobs()) == len(second.jobs()) == 10
    assert first.lines() == [f"req_{number}" for number in range(1, 21)]


def test_a_world_that_one_replica_works_on_delays_no_call_to_another_world(
    two: tuple[Replica, Replica],
) -> None:
    first, second = two
    made = second.http.post("/_screentest/worlds", json={"clock": {"mode": "manual"}}).get_json()
    key = {"X-API-Key": made["env"]["OZOR_API_KEY"]}
    worlds: Worlds = first.app.extensions["screentest"]
    statuses: list[int] = []
    waiting = threading.Thread(target=lambda: statuses.append(second.create()[0]))

    with worlds.get("default").rows.transaction():
        waiting.start()
        other = second.http.post(_GENERATE, json={"prompt": "x"}, headers=key)
        before = list(statuses)
    waiting.join()

    assert other.status_code == 200
    assert (before, statuses) == ([], [200])


def test_a_replica_that_starts_later_has_everything(make_replica: MakeReplica) -> None:
    first = Replica(make_replica())
    first.create()

    second = Replica(make_replica())

    assert second.jobs() == first.jobs()
    assert second.key == first.key


def test_a_replica_that_is_far_behind_loads_the_world_anew(two: tuple[Replica, Replica]) -> None:
    first, second = two
    assert second.jobs() == []
    for _ in range(1_400):
        first.http.get("/ozor/api/v1/jobs/none", headers={"X-API-Key": first.key})
    first.create()

    assert second.jobs() == first.jobs()
    assert second.get(f"{_CONTROL}/requests?cursor=1400")["items"][0]["id"] == "req_1401"


def test_a_snapshot_of_one_replica_is_restored_by_the_other(two: tuple[Replica, Replica]) -> None:
    first, second = two
    first.create()
    first.control("POST", "/snapshots", name="early")
    second.create()

    second.control("POST", "/snapshots/early/restore")

    assert len(first.jobs()) == len(second.jobs()) == 1


def test_an_unreachable_database_is_reported_and_work_continues(
    two: tuple[Replica, Replica], postgres: PostgresServer
) -> None:
    first, second = two
    first.create()
    postgres.kill()

    answer = first.http.post(_GENERATE, json={"prompt": "x"}, headers={"X-API-Key": first.key})
    control = second.http.get(f"{_CONTROL}/jobs")
    postgres.start()

    assert (answer.status_code, control.status_code) == (503, 503)
    assert answer.get_json()["code"] == control.get_json()["code"] == "not_kept"
    assert answer.headers["Retry-After"] == control.headers["Retry-After"] == "1"
    assert first.create()[0] == second.create()[0] == 200
    assert len(first.jobs()) == 3


def test_connections_that_were_cut_while_idle_are_not_noticed(
    two: tuple[Replica, Replica], postgres: PostgresServer
) -> None:
    first, second = two
    first.create()

    assert postgres.break_connections() > 1

    assert first.create()[0] == second.create()[0] == 200
    assert len(first.jobs()) == 3


def test_a_database_that_cannot_be_reached_is_refused_in_one_line() -> None:
    with pytest.raises(MockError) as caught:
        create_app(database="postgresql://me:secret@127.0.0.1:1/mock")

    said = str(caught.value)
    assert said.startswith("cannot use postgresql://127.0.0.1:1/mock as a database: ")
    assert "secret" not in said
    assert "\n" not in said


def test_tables_of_another_version_are_refused(database: str, postgres: PostgresServer) -> None:
    PostgresKeeper(database, seconds=monotonic).close()
    postgres.execute_in(database, "UPDATE screentest.about SET version = 99")

    with pytest.raises(MockError, match="schema version 99, this screentest reads 1"):
        create_app(database=database)
