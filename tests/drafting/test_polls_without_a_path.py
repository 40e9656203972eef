"""Jobs whose id is in a query or in a body, and whose answers may not show it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document

from .lamp import DOCUMENT, served, verified, write_document


def _polled_by_post() -> Json:
    document: Json = deepcopy(DOCUMENT)
    one = document["paths"]["/v1/videos"]["post"]["responses"]["201"]
    asked: Json = {"type": "object", "required": ["task_id"]}
    asked["properties"] = {"task_id": {"type": "string"}}
    document["components"]["schemas"]["Video"]["properties"]["task_id"] = {"type": "string"}
    document["paths"] = {
        "/v1/generate": document["paths"]["/v1/videos"],
        "/v1/query": {
            "post": {
                "operationId": "queryVideo",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": asked}},
                },
                "responses": {"200": one},
            }
        },
    }
    del document["paths"]["/v1/generate"]["get"]
    return document


def _polled_by_query(*, is_required: bool) -> Json:
    document = _polled_by_post()
    asked = document["paths"].pop("/v1/query")["post"]
    del asked["requestBody"]
    schema = {"type": "string"}
    named = {"name": "task_id", "in": "query", "required": is_required, "schema": schema}
    language = {"name": "language", "in": "query", "schema": schema}
    document["paths"]["/v1/status"] = {"get": {**asked, "parameters": [language, named]}}
    return document


def _without_id() -> Json:
    """The answer of the poll has a state and no id."""
    document: Json = deepcopy(DOCUMENT)
    video = document["components"]["schemas"]["Video"]
    fields = {name: it for name, it in video["properties"].items() if name != "id"}
    state = {"type": "object", "required": ["status"], "properties": fields}
    answer = {"description": "It", "content": {"application/json": {"schema": state}}}
    document["paths"]["/v1/videos/{id}"]["get"]["responses"]["200"] = answer
    del document["paths"]["/v1/videos"]["get"]
    return document


_CASES = {
    "post": (_polled_by_post(), "queryVideo", "body.task_id"),
    "query": (_polled_by_query(is_required=True), "queryVideo", "query.task_id"),
    "optional query": (_polled_by_query(is_required=False), "queryVideo", "query.task_id"),
    "no id": (_without_id(), "getVideo", "path.id"),
}


@pytest.mark.parametrize(("document", "read", "id_from"), _CASES.values(), ids=_CASES)
def test_the_job_is_found_and_passes_its_own_verification(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    document: Json,
    read: str,
    id_from: str,
) -> None:
    path = write_document(tmp_path, document)
    draft = draft_contract("lamp", read_document(path))

    folder = write_contract(tmp_path / "lamp", path.read_text(), draft).folder

    assert draft.rules["operations"]["createVideo"]["starts"]
    assert draft.rules["operations"][read]["acts_on"][0]["id"] == id_from
    assert verified(folder, monkeypatch) == Exit.OK, capfd.readouterr().out


def test_a_job_is_polled_by_post_until_its_end(tmp_path: Path) -> None:
    path = write_document(tmp_path, _polled_by_post())
    draft = draft_contract("lamp", read_document(path))
    lamp = served(write_contract(tmp_path / "lamp", path.read_text(), draft).folder)
    made = lamp.client.post("/v1/generate", json={"prompt": "a lamp"}).json()

    first = lamp.client.post("/v1/query", json={"task_id": made["task_id"]}).json()
    lamp.world.advance_until_idle()
    last = lamp.client.post("/v1/query", json={"task_id": made["task_id"]}).json()
    other = lamp.client.post("/v1/query", json={"task_id": "none"})

    assert (first["status"], last["status"]) == ("queued", "done")
    assert last["task_id"] == made["task_id"]
    assert other.status == 404


def test_a_post_that_asks_for_more_than_an_id_is_no_poll(tmp_path: Path) -> None:
    document = _polled_by_post()
    asked = document["paths"]["/v1/query"]["post"]["requestBody"]["content"]["application/json"]
    asked["schema"]["required"] = ["task_id", "prompt"]
    asked["schema"]["properties"]["prompt"] = {"type": "string"}

    draft = draft_contract("lamp", read_document(write_document(tmp_path, document)))

    assert "queryVideo" not in draft.rules.get("operations", {})
