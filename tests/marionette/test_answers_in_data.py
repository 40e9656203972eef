"""What a contract says of an operation in data, beyond what the packaged providers need."""

from __future__ import annotations

from pathlib import Path

import yaml
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, make_world

_FOLDER = Path(__file__).parent


def _account(folder: Path, **operations: Json) -> Account:
    """An account of the marionette contract with changed rules for some operations."""
    rules = yaml.safe_load((_FOLDER / "behaviour.yaml").read_text())
    for name, changes in operations.items():
        rules["operations"][name] |= changes
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(rules))
    (folder / "openapi.yaml").write_text((_FOLDER / "openapi.yaml").read_text())
    app = create_app(contracts=[read_contract(folder)], is_strict=False)
    return make_world(WsgiClient(app)).account("marionette", credits=1_000)


def _titles(account: Account) -> list[str]:
    return [it["title"] for it in account.client.get("/v1/plays").json()["plays"]]


def _perform(account: Account, *titles: str) -> None:
    for title in titles:
        assert account.client.post("/v1/plays", json={"title": title}).status == 201


def test_list_has_an_offset_a_limit_and_a_filter(tmp_path: Path) -> None:
    page = {"offset": 1, "limit": 2, "where": "$input.title != 'Hamlet'", "rising": "$1 < 2"}
    account = _account(tmp_path, listPlays={"page": page})

    _perform(account, "Faust", "Hamlet")
    account.world.advance(60_000)
    _perform(account, "Medea", "Lear")
    account.world.advance(60_000)
    _perform(account, "Nora")

    assert _titles(account) == ["Medea", "Lear"]


def test_answer_knows_how_many_there_are(tmp_path: Path) -> None:
    answer = {"plays": "$items", "more": "$has_more", "of": "$total"}
    account = _account(tmp_path, listPlays={"page": {"limit": 1}, "answer": answer})

    _perform(account, "Faust", "Medea")

    shown = account.client.get("/v1/plays").json()
    assert [it["title"] for it in shown["plays"]] == ["Medea"]
    assert (shown["more"], shown["of"]) == (True, 2)


def test_operation_refuses_by_a_condition_before_anything_is_done(tmp_path: Path) -> None:
    refused = {
        "when": "$size(body.title) > size_max",
        "reason": "invalid",
        "facts": {"problem": "a title has at most {size_max} letters"},
    }
    account = _account(tmp_path, createPlay={"let": {"size_max": 4}, "refuses": [refused]})

    answer = account.client.post("/v1/plays", json={"title": "Hamlet"})

    assert answer.status == 422, answer.text
    assert "at most 4 letters" in answer.text
    assert account.money == (1_000, 0, 0)


def test_answer_has_an_envelope_headers_and_a_status_by_expression(tmp_path: Path) -> None:
    changes: Json = {
        "keeps": {"input": {"title": "$body.title.upperAscii()"}},
        "answer": {"title": "$doc.input.title"},
        "envelope": {"data": "$made"},
        "headers": {"Stage-Play": "{id}", "Stage-Empty": "$optional.none()"},
        "status": "$size(body.title) > 3 ? 202 : 201",
    }
    account = _account(tmp_path, createPlay=changes)

    answer = account.client.post("/v1/plays", json={"title": "Faust"})

    assert (answer.status, answer.json()) == (202, {"data": {"title": "FAUST"}})
    assert answer.headers["stage-play"].startswith("play_")
    assert "stage-empty" not in answer.headers
