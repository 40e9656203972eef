"""A snapshot of one mock goes on in another; what is no whole snapshot is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer, Client, MockWorld, make_world, make_wsgi
from tests.ozor import steps


def _taken(world: MockWorld) -> str:
    """Everything of the world, as the text of a document."""
    path = f"{world.path}/snapshots"
    assert world.control.post(path, json={"name": "taken"}).status == 201
    return world.control.get(f"{path}/taken").text


def _put(world: MockWorld, document: str) -> Answer:
    body = {"name": "given", "document": document}
    return world.control.post(f"{world.path}/snapshots", json=body)


def _go_on(world: MockWorld, document: str) -> Json:
    """Make *world* what *document* says."""
    kept = _put(world, document)
    assert kept.status == 201, kept.text
    answer = world.control.post(f"{world.path}/snapshots/given/restore")
    assert answer.status == 200, answer.text
    return answer.json()


def _same_account(account: Account, world: MockWorld) -> Account:
    """The account as it is in *world*, with its original key."""
    client = Client(world.wsgi, f"/w/{world.id}/ozor", account.client.headers)
    return Account(world, account.id, "ozor", account.api_key, account.bearer, client)


def _later(account: Account) -> list[Json]:
    """What the account sees from here on, without what names the world."""
    made = steps.generate(account, prompt="A second lamp")
    account.world.advance(600_000)
    seen = steps.job(account, made)
    return [made["jobId"], seen, account.ledger()]


def test_world_goes_on_in_a_second_mock_as_it_would_have_in_the_first(ozor: Account) -> None:
    first = steps.generate(ozor)
    ozor.world.advance(5_000)
    document = _taken(ozor.world)
    elsewhere = make_world(make_wsgi(), seed=99, clock={"mode": "manual"})

    shown = _go_on(elsewhere, document)

    there = _same_account(ozor, elsewhere)
    assert (shown["seed"], shown["clock"]["now"]) == (7, "2026-01-01T00:00:05Z")
    assert steps.job(there, first) == steps.job(ozor, first)
    assert _later(there) == _later(ozor)
    assert there.ledger()["entries"] == ozor.ledger()["entries"]


def test_keys_that_the_world_shows_are_those_that_work(ozor: Account) -> None:
    """First keys are made from the world's id, and the second world has another."""
    there = make_wsgi()
    _, _, elsewhere = (make_world(there, seed=99) for _ in range(3))

    shown = _go_on(elsewhere, _taken(ozor.world))

    assert elsewhere.id != ozor.world.id
    key = {"X-API-Key": shown["env"]["OZOR_API_KEY"]}
    assert elsewhere.anonymous("ozor").get(steps.VIDEOS, headers=key).status == 200
    again = elsewhere.control.post(f"{elsewhere.path}/reset").json()
    assert again["env"]["OZOR_API_KEY"] != shown["env"]["OZOR_API_KEY"]


def test_document_survives_the_journey_byte_for_byte(ozor: Account) -> None:
    steps.generate(ozor, prompt='Quotes " and \\ and \u2028 and \U0001f3ac')
    ozor.world.account("znapai").client.post("/v1/videos", raw=b"\xff\xfe", headers={})
    document = _taken(ozor.world)
    elsewhere = make_world(make_wsgi())

    _go_on(elsewhere, document)

    assert _taken(elsewhere) == document


def test_restored_world_survives_in_a_database_file(ozor: Account, tmp_path: Path) -> None:
    steps.generate(ozor)
    ozor.world.advance_until_idle()
    document = _taken(ozor.world)
    database = tmp_path / "mock.db"
    app = create_app(database=database)
    wsgi = WsgiClient(app)
    _go_on(MockWorld(wsgi, "default", Client(wsgi, "/_screentest")), document)
    app.extensions["screentest"].store.close()

    app = create_app(database=database)
    listed = Client(WsgiClient(app), "/ozor", ozor.client.headers).get(steps.VIDEOS).json()

    app.extensions["screentest"].store.close()
    assert [it["videoId"] for it in listed["videos"]] == [
        it["videoId"] for it in steps.list_videos(ozor)
    ]
    assert len(listed["videos"]) == 1


# --- Several worlds of one mock that go on from the same snapshot ---------------------------------


def _paid_user(wsgi: WsgiClient) -> tuple[Account, str, str]:
    """An account with a job and a key of its own making, that key, and everything as a document."""
    ozor = make_world(wsgi, seed=7, clock={"mode": "manual"}).account("ozor")
    steps.generate(ozor)
    ozor.world.advance_until_idle()
    made = steps.firebase(ozor).post(steps.KEYS, json={"name": "mine"})
    return ozor, made.json()["rawKey"], _taken(ozor.world)


def _videos(world: MockWorld, key: str) -> list[str]:
    headers = {"X-API-Key": key}
    answer = Client(world.wsgi, f"/w/{world.id}/ozor", headers).get(steps.VIDEOS)
    assert answer.status == 200, answer.text
    return [it["videoId"] for it in answer.json()["videos"]]


def _new_keys(answer: Json, account: Account) -> dict[tuple[str, str], str]:
    mine = [it for it in answer["new_keys"] if it["account"] == account.id]
    return {(it["name"], it["kind"]): it["key"] for it in mine}


def test_several_worlds_go_on_from_one_snapshot_each_with_keys_of_its_own(
    wsgi: WsgiClient,
) -> None:
    ozor, own_key, document = _paid_user(wsgi)
    first, second = make_world(wsgi), make_world(wsgi)

    firsts, seconds = (_new_keys(_go_on(it, document), ozor) for it in (first, second))

    kinds = [("screentest", "api_key"), ("screentest", "bearer"), ("mine", "api_key")]
    assert [*firsts] == [*seconds] == kinds
    assert len({ozor.api_key, ozor.bearer, own_key, *firsts.values(), *seconds.values()}) == 9
    before = _videos(ozor.world, own_key)
    assert len(before) == 1
    assert _videos(first, firsts["mine", "api_key"]) == before
    assert _videos(second, seconds["mine", "api_key"]) == before
    assert _videos(second, seconds["screentest", "api_key"]) == before


def test_snapshot_of_the_default_world_goes_into_another(wsgi: WsgiClient) -> None:
    """The default world cannot be deleted to make room for its keys."""
    default = MockWorld(wsgi, "default", Client(wsgi, "/_screentest"))
    first = default.control.get(default.path).json()
    other = make_world(wsgi)

    shown = _go_on(other, _taken(default))

    assert shown["env"]["OZOR_BASE_URL"] == f"http://localhost/w/{other.id}/ozor"
    assert shown["env"]["OZOR_API_KEY"] != first["env"]["OZOR_API_KEY"]
    assert shown["providers"]["ozor"]["account"]["api_key"] == shown["env"]["OZOR_API_KEY"]
    assert _videos(other, shown["env"]["OZOR_API_KEY"]) == []
    assert default.control.get(default.path).json()["env"] == first["env"]


def test_same_restoration_gives_the_same_keys(wsgi: WsgiClient) -> None:
    _, _, document = _paid_user(wsgi)
    other = make_world(wsgi)

    first, again = _go_on(other, document), _go_on(other, document)

    assert first["new_keys"] == again["new_keys"] != []


def test_world_that_is_made_later_is_not_called_as_one_whose_keys_are_here() -> None:
    """It would begin with the same keys."""
    ctx, elsewhere = make_wsgi(), make_wsgi()
    first = make_world(ctx, seed=99)
    _, second = (make_world(elsewhere, seed=7) for _ in range(2))
    assert _go_on(first, _taken(second))["new_keys"] == []

    later = make_world(ctx, seed=7)

    assert (first.id, second.id, later.id) == ("w_1", "w_2", "w_3")


# --- What is refused, and changes nothing ---------------------------------------------------------


def _sealed(lines: list[Json]) -> str:
    """A document of *lines* with a matching digest, as a careful forger would write it."""
    body = "".join(json.dumps(it, sort_keys=True, separators=(",", ":")) + "\n" for it in lines)
    return body + json.dumps({"sha256": sha256(body.encode()).hexdigest()}).replace(" ", "") + "\n"


def _cut_short(document: str) -> str:
    return "".join(document.splitlines(keepends=True)[:-5])


def _richer(document: str) -> str:
    assert '"available":10,' in document
    return document.replace('"available":10,', '"available":99,', 1)


def _with_head(**changes: Json) -> Callable[[str], str]:
    def change(document: str) -> str:
        head, *rows = (json.loads(line) for line in document.splitlines()[:-1])
        return _sealed([{**head, **changes}, *rows])

    return change


def _with_world(**changes: Json) -> Callable[[str], str]:
    def change(document: str) -> str:
        head, *rows = (json.loads(line) for line in document.splitlines()[:-1])
        head["world"] |= changes
        return _sealed([head, *rows])

    return change


def _with_row(table: str, **changes: Json) -> Callable[[str], str]:
    """The first row of *table* with other values, and the document sealed again."""

    def change(document: str) -> str:
        lines = [json.loads(line) for line in document.splitlines()[:-1]]
        row = next(it["row"] for it in lines if it.get("table") == table)
        row |= changes
        return _sealed(lines)

    return change


def _with_line(line: Json) -> Callable[[str], str]:
    return lambda document: _sealed([*map(json.loads, document.splitlines()[:-1]), line])


_NOT_WHOLE = "was changed or cut short: its last line is not the digest of the others"
_NO_HEAD = "has no first line of a snapshot of format 2"
_REPLAY = {
    "account": "a",
    "operation": "o",
    "key": "k",
    "fingerprint": "f",
    "expires_ms": 1,
    "request": 1,
    "status": 200,
    "headers": {},
    "content_type": "application/json",
    "departure": None,
}
_NO_WORLD = "first line of the snapshot does not describe a world"

_SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "cut short": (_cut_short, _NOT_WHOLE),
    "half a line": (lambda it: it[: len(it) // 2], _NOT_WHOLE),
    "one byte more": (lambda it: it + "\n", _NOT_WHOLE),
    "richer": (_richer, _NOT_WHOLE),
    "first line alone": (lambda it: it.splitlines(keepends=True)[0], _NOT_WHOLE),
    "not JSON": (lambda _: "hello", f"{_NO_HEAD}: JSON is malformed"),
    "foreign JSON": (lambda _: '{"openapi": "3.1.0"}', f"{_NO_HEAD}: Object contains unknown"),
    "a list": (lambda _: "[]", f"{_NO_HEAD}: Expected `object`"),
    "a pickle": (lambda _: base64.b64decode(b"gASVCg==").decode("latin-1"), _NO_HEAD),
    "older format": (_with_head(format=1), f"{_NO_HEAD}: Invalid enum value 1"),
    "no seed": (_with_world(seed=None), "Expected `int`, got `null` - at `$.world.seed`"),
    "time before time": (_with_head(now_ms=-1), "Expected `int` >= 0 - at `$.now_ms`"),
    "other providers": (
        _with_head(providers=["kling"]),
        "is from a mock that serves kling, and this one serves "
        "oshara, ozor, ugc_copilot, ulazai, znapai; start it with the same --provider",
    ),
    "no world": (_with_head(world=[]), "got `array` - at `$.world`"),
    "no clock": (_with_world(clock={}), "missing required field `mode` - at `$.world.clock`"),
    "unknown clock": (
        _with_world(clock={"mode": "lunar", "base_ms": 0, "wall_ms": 0, "speed": 1}),
        "Invalid enum value 'lunar' - at `$.world.clock.mode`",
    ),
    "no home": (_with_world(home=3), "got `int` - at `$.world.home`"),
    "no readings": (
        _with_world(settings={"choices": []}),
        "Expected `object`, got `array` - at `$.world.settings.choices`",
    ),
    "pace of text": (
        _with_world(settings={"pace": "fast"}),
        "Expected `float`, got `str` - at `$.world.settings.pace`",
    ),
    "speed of a stopped clock": (
        _with_world(clock={"mode": "real", "base_ms": 0, "wall_ms": 0, "speed": 0}),
        _NO_WORLD,
    ),
    "first plan of another kind": (_with_world(first={"mode": "manual", "x": 1}), _NO_WORLD),
    "unknown table": (_with_line({"table": "sqlite_master", "row": {}}), "fits no table"),
    "table of SQL": (_with_line({"table": "a; DROP TABLE world", "row": {}}), "fits no table"),
    "row without fields": (
        _with_line({"table": "account", "row": {}}),
        "fits no row: Object missing required field `id`",
    ),
    "line that is not a row": (_with_line({"a": 1}), "fits no row"),
    "more fields": (_with_row("account", world="default"), "contains unknown field `world`"),
    "number as text": (
        _with_row("account", available="10"),
        "got `str` - at `$.available`",
    ),
    "truth as number": (
        _with_row("account", held=True),
        "got `bool` - at `$.held`",
    ),
    "number too large": (_with_row("entry", amount=2**63), "- at `$.amount`"),
    "text as number": (_with_row("account", tier=3), "got `int` - at `$.tier`"),
    "nothing": (_with_row("account", tier=None), "got `null` - at `$.tier`"),
    "text as object": (_with_row("resource", doc="{"), "got `str` - at `$.doc`"),
    "no base64": (
        _with_line({"table": "replay", "row": {**_REPLAY, "body": "é"}}),
        "Invalid base64 encoded string - at `$.body`",
    ),
    "sums that do not add up": (
        _with_row("account", available=99),
        "the sums of account acct_1 do not add up",
    ),
    "unknown provider": (_with_row("resource", provider="kling"), "row of an unknown provider"),
}


@pytest.mark.parametrize("how", _SPOILT)
def test_document_that_is_not_whole_is_refused_and_not_kept(ozor: Account, how: str) -> None:
    steps.generate(ozor)
    spoil, detail = _SPOILT[how]
    document = spoil(_taken(ozor.world))
    elsewhere = make_world(make_wsgi())
    before = _taken(elsewhere)

    answer = _put(elsewhere, document)

    assert (answer.status, answer.json()["code"]) == (422, "damaged_snapshot")
    assert detail in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    kept = elsewhere.control.get(f"{elsewhere.path}/snapshots").json()["items"]
    assert [it["name"] for it in kept] == ["taken"]
    assert _taken(elsewhere) == before


def test_rows_that_contradict_each_other_leave_the_world_as_it_was(ozor: Account) -> None:
    """Found while it is restored; the journal stays as well."""
    twice = _with_line({"table": "counter", "row": {"name": "account", "value": 1}})
    document = twice(_taken(ozor.world))
    elsewhere = make_world(make_wsgi())
    steps.generate(elsewhere.account("ozor"))
    before = _taken(elsewhere)
    assert _put(elsewhere, document).status == 201

    answer = elsewhere.control.post(f"{elsewhere.path}/snapshots/given/restore")

    assert (answer.status, answer.json()["code"]) == (422, "damaged_snapshot")
    assert "an invalid row of 'counter': 'account' occurs twice" in answer.json()["detail"]
    assert _taken(elsewhere) == before


def test_mock_of_fewer_providers_refuses_what_it_cannot_play(ozor: Account) -> None:
    small = make_world(WsgiClient(create_app(contracts=[load_contract("ozor")])))

    answer = _put(small, _taken(ozor.world))

    assert answer.status == 422
    assert "and this one serves ozor; start it with the same --provider" in answer.json()["detail"]


def test_document_may_be_larger_than_other_bodies_but_not_endless(world: MockWorld) -> None:
    path = f"{world.path}/snapshots"

    large = _put(world, "x" * 2_000_000)
    other = world.control.post(f"{world.path}/faults", json={"type": "x" * 2_000_000})

    assert (large.status, large.json()["code"]) == (422, "damaged_snapshot")
    assert (other.status, other.json()["code"]) == (413, "too_large")
    assert world.control.get(path).json()["items"] == []
