"""Readings with shapes of their own: what they change in the OpenAPI document, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import copytree

import pytest
import yaml
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.contracts.registry import load_contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.linting.lint import lint_contract
from screentest.specs.openapi import operations as compiler
from screentest.specs.openapi.documents import Documents

from ..mock_client import MockWorld, make_world

_LANTERN = Path(__file__).parents[1] / "lantern"
_FILM: dict[str, Json] = {
    "properties": {"maker": {"const": "lantern"}},
    "dependentRequired": {"id": ["maker"]},
}
_READINGS: dict[str, Json] = {
    "shown_maker": {
        "id": "X1",
        "default": "absent",
        "alternatives": {
            "present": {
                "says": "A film names its maker.",
                "openapi": {"components": {"schemas": {"Film": _FILM}}},
                "rules": {"resources": {"film": {"view": {"maker": "lantern"}}}},
            },
        },
        "reason": "Nothing is said of it.",
    },
    "long_lines": {
        "id": "X2",
        "default": "refused",
        "alternatives": {
            "accepted": {
                "says": "A line has up to 500 characters.",
                "openapi": {
                    "components": {
                        "schemas": {"FilmRequest": {"properties": {"line": {"maxLength": 500}}}}
                    }
                },
            },
        },
        "reason": "Nothing is said of it.",
    },
    "cap": {
        "id": "X3",
        "default": "two",
        "alternatives": {"none": {"says": "No cap.", "rules": {"concurrency": None}}},
        "reason": "Nothing is said of it.",
    },
}
_PRESENT = {"lantern.shown_maker": "present"}
_ACCEPTED = {"lantern.long_lines": "accepted"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lantern(tmp_path / "lantern", _READINGS)


@pytest.fixture
def world(folder: Path) -> MockWorld:
    return make_world(WsgiClient(create_app(contracts=[read_contract(folder)])))


def lantern(folder: Path, interpretations: Json) -> Path:
    """The folder of the tests' own provider, with a cap and *interpretations*."""
    copytree(_LANTERN, folder, ignore=lambda *_: {"__pycache__"})
    path = folder / "behaviour.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules["concurrency"] = {"limits": {"default": 2}, "scope": "key", "source": "LN-001"}
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    (folder / "readings.yaml").write_text(yaml.safe_dump(interpretations), encoding="utf-8")
    return folder


def film_schema(contract: Contract) -> Mapping[str, Json]:
    schema: Mapping[str, Json] = contract.document["components"]["schemas"]["Film"]
    return schema


def test_shapes_of_a_reading_hold_where_it_is_chosen_alone(folder: Path) -> None:
    contract = read_contract(folder)

    chosen = contract.under(_PRESENT)

    film = {"id": "film_00000000", "state": "waiting", "line": "x", "percent": 0}
    film |= {"made_at": "2026-01-01T00:00:00Z"}
    reads, reads_default = chosen.operations["getFilm"], contract.operations["getFilm"]
    named = film | {"maker": "lantern"}
    assert reads.reply_violations(200, "application/json", named) == []
    assert reads_default.reply_violations(200, "application/json", film) == []
    missing = reads.reply_violations(200, "application/json", film)
    unknown = reads_default.reply_violations(200, "application/json", named)
    assert [it.keyword for it in missing] == ["required"]
    assert [it.field for it in unknown] == ["maker"]


def test_shapes_of_two_readings_are_merged(folder: Path) -> None:
    both = read_contract(folder).under(_PRESENT | _ACCEPTED)

    schemas = both.document["components"]["schemas"]
    assert schemas["Film"]["dependentRequired"] == {"id": ["maker"]}
    assert schemas["FilmRequest"]["properties"]["line"]["maxLength"] == 500


def test_readings_with_rules_alone_share_the_shapes_of_the_file(folder: Path) -> None:
    contract = read_contract(folder)

    assert contract.under({"lantern.cap": "none"}).operations is contract.operations


def test_each_set_of_shapes_is_compiled_once_and_when_it_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Documents] = []
    compile_operations = compiler.compile_operations

    def counted(document: Documents) -> Json:
        if document.content["info"]["title"] == "Lantern":  # and not the control API
            compiled.append(document)
        return compile_operations(document)

    monkeypatch.setattr(compiler, "compile_operations", counted)
    contract = read_contract(folder)
    assert compiled == []
    app = create_app(contracts=[contract])

    make_world(WsgiClient(app)).account("lantern").client.get("/films")
    assert len(compiled) == 1
    contract.under(_PRESENT)
    contract.under(_PRESENT | {"lantern.cap": "none"})
    contract.under(_PRESENT)
    assert len(compiled) == 2


def test_a_world_answers_and_checks_itself_by_the_shapes_of_its_readings(world: MockWorld) -> None:
    world.choose(lantern__shown_maker="present")

    made = world.account("lantern").client.post("/films", json={"line": "A paper moon"})

    assert (made.status, made.json()["maker"]) == (201, "lantern")
    [line] = world.requests()
    assert line["response"]["status"] == 201


def test_a_world_validates_requests_by_the_shapes_of_its_readings(world: MockWorld) -> None:
    client, body = world.account("lantern").client, {"line": "x" * 300}
    refused = client.post("/films", json=body)
    world.choose(lantern__long_lines="accepted")

    accepted = client.post("/films", json=body)

    assert (refused.status, accepted.status) == (400, 201)


def test_shapes_that_cannot_be_read_are_refused_with_the_reading(folder: Path) -> None:
    patch = {"paths": {"/films": {"post": {"responses": None}}}}
    broken = {"alternatives": {"present": {"says": "Nonsense.", "openapi": patch}}}
    again = lantern(folder.parent / "again", {"shown_maker": _READINGS["shown_maker"] | broken})

    with pytest.raises(ContractError, match=r"with lantern\.shown_maker=present: KeyError"):
        read_contract(again).under(_PRESENT)


def test_the_lint_of_a_contract_covers_the_shapes_of_its_readings(folder: Path) -> None:
    patch = {"components": {"schemas": {"Film": {"properties": {"id": {"$ref": "#/nowhere"}}}}}}
    broken = {"alternatives": {"present": {"says": "Nonsense.", "openapi": patch}}}
    again = lantern(folder.parent / "again", {"shown_maker": _READINGS["shown_maker"] | broken})

    lint_contract(folder)
    with pytest.raises(ContractError, match="'#/nowhere' points at nothing"):
        lint_contract(again)


@pytest.mark.parametrize(
    ("readings", "message"),
    [
        ({"znapai.answer_shap": "proxy"}, "no interpretation .*; did you mean 'znapai.answer_sh"),
        ({"ozor.answer_shape": "proxy"}, "no interpretation 'ozor.answer_shape'"),
        ({"znapai.answer_shape": "prox"}, "no reading of znapai.answer_shape 'prox'; did you mean"),
    ],
)
def test_a_contract_is_not_loaded_with_unknown_readings(
    readings: Mapping[str, str], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        load_contract("znapai", readings)


def test_a_contract_is_loaded_with_readings() -> None:
    contract = load_contract("znapai", {"znapai.delete_running": "allow"})

    assert contract.behaviour.operations["deleteVideo"].targets[0].states == frozenset()
    assert load_contract("znapai", {"znapai.delete_running": "refuse_400"}) is load_contract(
        "znapai"
    )
