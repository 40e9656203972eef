"""`screentest spec diff`: what a new OpenAPI file breaks in a behaviour file."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json
from screentest.specs.linting.document_changes import Change, changes_of
from screentest.specs.openapi.document_file import served_form

from .lamp import DOCUMENT, PROBLEM, run, write_document


@pytest.fixture
def lamp(tmp_path: Path) -> Contract:
    document = served_form(tmp_path / "vendor.json", deepcopy(DOCUMENT))
    text = write_document(tmp_path).read_text()
    return write_contract(tmp_path / "lamp", text, draft_contract("lamp", document))


def _changes(lamp: Contract, change: Callable[[Json], object]) -> list[Change]:
    document = deepcopy(DOCUMENT)
    change(document)
    return list(changes_of(lamp, served_form(Path("new.json"), document)))


def _video(document: Json) -> Json:
    return document["components"]["schemas"]["Video"]


def _operation(document: Json, path: str, method: str) -> Json:
    return document["paths"][path][method]


def test_the_same_document_changes_nothing(lamp: Contract) -> None:
    assert _changes(lamp, id) == []


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_a_packaged_contract_agrees_with_its_own_document(provider: str) -> None:
    contract = load_contract(provider)

    assert list(changes_of(contract, contract.document)) == []


def test_a_lost_operation_breaks_and_its_new_name_is_shown(lamp: Contract) -> None:
    found = _changes(
        lamp,
        lambda it: (
            it["paths"]["/v1/videos/{id}"].pop("delete"),
            _operation(it, "/v1/videos/{id}", "get").update(operationId="fetchVideo"),
        ),
    )

    assert found == [
        Change(
            "/operations/getVideo", "GET /v1/videos/{id} is gone; it is now called 'fetchVideo'"
        ),
        Change("/operations/deleteVideo", "DELETE /v1/videos/{id} is gone"),
        Change("/operations", "new operations: fetchVideo (GET /v1/videos/{id})", breaks=False),
    ]


def test_a_renamed_parameter_breaks_the_id_of_a_resource(lamp: Contract) -> None:
    def rename(document: Json) -> None:
        document["paths"]["/v1/videos/{video_id}"] = document["paths"].pop("/v1/videos/{id}")

    detail = "the path has no parameter 'id' any more: /v1/videos/{video_id}"
    assert [it for it in _changes(lamp, rename) if it.breaks] == [
        Change("/operations/getVideo/acts_on/0/id", detail),
        Change("/operations/deleteVideo/acts_on/0/id", detail),
    ]


def test_fields_that_are_lost_new_or_of_another_type_break(lamp: Contract) -> None:
    def change(document: Json) -> None:
        video = _video(document)
        del video["properties"]["created_at"]
        video["properties"]["credits_charged"] = {"type": "string"}
        video["properties"]["owner"] = {"type": "string"}
        video["required"].append("owner")
        # No rule names them.
        video["properties"]["extra"] = {"type": "string"}

    found = {it.detail for it in _changes(lamp, change) if it.place == "/operations/getVideo"}

    assert found == {
        "the answer has no field 'created_at' any more",
        "'credits_charged' in the answer is string now, and was integer",
        "the answer must have 'owner', which nothing shows",
    }


def test_a_field_of_the_request_that_a_view_shows_breaks(lamp: Contract) -> None:
    def change(document: Json) -> None:
        body = _operation(document, "/v1/videos", "post")["requestBody"]["content"]
        body["application/json"]["schema"] = {"type": "object", "properties": {"text": {}}}

    assert _changes(lamp, change) == [
        Change("/operations/createVideo", "the request has no field 'prompt' any more")
    ]


def test_lost_states_break_and_new_ones_are_shown(lamp: Contract) -> None:
    def change(document: Json) -> None:
        _video(document)["properties"]["status"]["enum"] = ["queued", "rendering", "done", "paused"]

    found = _changes(lamp, change)

    at_get = [it for it in found if it.detail.startswith("getVideo")]
    assert at_get == [
        Change("/lifecycles/video/states/failed", "getVideo has no state 'failed' any more"),
        Change("/lifecycles/video/states/canceled", "getVideo has no state 'canceled' any more"),
        Change("/lifecycles/video/states", "getVideo has a new state 'paused'", breaks=False),
    ]


def test_another_success_status_breaks_and_a_further_one_is_shown(lamp: Contract) -> None:
    def change(document: Json) -> None:
        post = _operation(document, "/v1/videos", "post")["responses"]
        post["202"] = post.pop("201")
        del post["default"]
        _operation(document, "/v1/videos/{id}", "get")["responses"]["410"] = PROBLEM

    assert _changes(lamp, change) == [
        Change("/operations/createVideo", "does not document 201 any more"),
        Change("/operations/createVideo", "documents 202 as well", breaks=False),
        Change("/operations/getVideo", "documents 410 as well", breaks=False),
    ]


def test_other_security_breaks(lamp: Contract) -> None:
    def change(document: Json) -> None:
        schemes = document["components"]["securitySchemes"]
        schemes["key"] = {"type": "apiKey", "in": "header", "name": "X-Key"}
        schemes["team"] = {"type": "apiKey", "in": "header", "name": "X-Team"}
        _operation(document, "/v1/videos", "get")["security"] = [{"team": []}]

    assert _changes(lamp, change) == [
        Change("/credentials/key", "the key is now apiKey header X-Key, and was http bearer"),
        Change("/operations/listVideos", "takes team, and took key"),
    ]


def test_the_verb_shows_lines_and_ends_with_1(
    lamp: Contract,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    document = deepcopy(DOCUMENT)
    del document["paths"]["/v1/videos"]["get"]
    new = tmp_path / "new.json"
    new.write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    lines = Path("lamp/behaviour.yaml").read_text().splitlines()
    line = 1 + next(number for number, it in enumerate(lines) if it.startswith("  listVideos:"))

    codes = [run(monkeypatch, "spec", "diff", "./lamp", it) for it in ("new.json", "vendor.json")]
    text = capfd.readouterr()
    run(monkeypatch, "spec", "diff", "./lamp", "new.json", "--json")
    document = json.loads(capfd.readouterr().out)

    assert codes == [Exit.FOUND, Exit.OK]
    assert text.out == (
        f"breaks:\n  lamp/behaviour.yaml:{line}: at operations/listVideos: GET /v1/videos is gone\n"
    )
    assert text.err.splitlines() == [
        "1 changes break lamp/behaviour.yaml, 0 others",
        "0 changes break lamp/behaviour.yaml, 0 others",
    ]
    assert document["breaks"] == 1
    assert document["changes"][0]["place"] == "/operations/listVideos"
