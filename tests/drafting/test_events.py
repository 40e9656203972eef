"""What is drafted of webhooks and of cancelling, and that both work."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.cli.exit_codes import Exit
from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import Contract
from screentest.specs.drafting.draft import Draft
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document, served_form

from ..lantern.lantern import Receiver
from ..mock_client import MINUTE_MS, Account, make_world
from .lamp import DOCUMENT, verified, write_document

_SIGNED = [
    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
    for name in ("lamp-signature", "lamp-timestamp", "lamp-agent")
]


def _event(name: str, payload: Json) -> Json:
    body = {
        "type": "object",
        "required": ["type", "payload"],
        "properties": {"type": {"enum": [name]}, "payload": payload},
    }
    return {
        "post": {
            "parameters": _SIGNED,
            "requestBody": {"content": {"application/json": {"schema": body}}},
        }
    }


def _video(document: Json) -> Json:
    return document["components"]["schemas"]["Video"]


def _with_callback() -> Json:
    document = deepcopy(DOCUMENT)
    sent = document["paths"]["/v1/videos"]["post"]["requestBody"]["content"]["application/json"]
    sent["schema"]["properties"]["callback_url"] = {"type": "string"}
    return document


def _drafted(folder: Path, document: Json, events: Json = None) -> tuple[Contract, Draft]:
    path = write_document(folder, document)
    draft = draft_contract("lamp", read_document(path), events=events)
    return write_contract(folder / "lamp", path.read_text(), draft), draft


def _served(contract: Contract) -> tuple[Account, Receiver]:
    """An account, and a receiver in this process at the address `wsgi:hook`."""
    app, receiver = create_app(contracts=[contract]), Receiver()
    app.extensions["screentest.receivers"]["hook"] = receiver
    return make_world(WsgiClient(app)).account("lamp"), receiver


def test_an_address_in_the_request_gets_the_end_of_its_job(tmp_path: Path) -> None:
    contract, draft = _drafted(tmp_path, _with_callback())
    lamp, receiver = _served(contract)

    body = {"prompt": "a lamp", "callback_url": "wsgi:hook"}
    made = lamp.client.post("/v1/videos", json=body).json()
    lamp.client.post("/v1/videos", json={"prompt": "without an address"})
    lamp.world.advance(2 * MINUTE_MS)

    assert draft.notes["webhooks",] == (
        "guessed: these webhooks, because a request has 'callback_url'"
    )
    assert [(it.event["id"], it.event["status"]) for it in receiver.received] == [
        (made["id"], "done")
    ]


def _with_events() -> Json:
    document = deepcopy(DOCUMENT)
    document["openapi"] = "3.1.0"
    _video(document)["properties"]["error"] = {"type": ["null", "string"]}
    document["webhooks"] = {
        "video.started": _event("video.started", {"$ref": "#/components/schemas/Video"}),
        "video.done": _event("video.done", {"$ref": "#/components/schemas/Video"}),
        "voice.purple": _event("voice.purple", {"type": "object"}),
    }
    return document


@pytest.mark.parametrize(
    "document", [_with_events(), _with_callback()], ids=["documented", "callback"]
)
def test_drafted_webhooks_pass_their_own_verification(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    document: Json,
) -> None:
    """An event before the end of a job is not taken for a repetition."""
    contract, _ = _drafted(tmp_path, document)

    assert verified(contract.folder, monkeypatch) == Exit.OK, capfd.readouterr().out


def test_documented_events_are_drafted_with_their_headers(tmp_path: Path) -> None:
    document = _with_events()

    contract, draft = _drafted(tmp_path, document)
    lamp, receiver = _served(contract)
    endpoint = {"provider": "lamp", "url": "wsgi:hook", "account": lamp.id}
    registered = lamp.world.control.post(f"{lamp.world.path}/webhooks/endpoints", json=endpoint)
    lamp.client.post("/v1/videos", json={"prompt": "a lamp"})
    lamp.world.advance(2 * MINUTE_MS)

    webhooks = draft.rules["webhooks"]
    assert webhooks["events"] == {
        "video.started": {"lifecycle": "video", "enters": ["rendering"]},
        "video.done": {"lifecycle": "video", "ends": "succeeded"},
    }
    assert webhooks["body"] == {"type": "$type", "payload": "$job.view"}
    assert webhooks["headers"] == {
        "lamp-signature": "{signature.hex}",
        "lamp-timestamp": "{timestamp.s}",
    }
    assert registered.status == 201
    assert [(it.event["type"], it.event["payload"]["status"]) for it in receiver.received] == [
        ("video.started", "rendering"),
        ("video.done", "done"),
    ]


def test_a_second_document_is_that_of_the_webhooks(tmp_path: Path) -> None:
    """Some vendors describe each event as a path of another API."""
    paths = {"/video.failed": _event("video.failed", {"type": "object"})}
    paths["/video.failed"]["post"]["responses"] = {"200": {"description": "taken"}}
    events = served_form(
        tmp_path / "webhooks.json",
        {"openapi": "3.1.0", "info": {"title": "Lamp Webhook", "version": "1"}, "paths": paths},
    )

    _, draft = _drafted(tmp_path, DOCUMENT, events)

    assert list(draft.rules["webhooks"]["events"]) == ["video.failed"]


def test_a_second_document_without_events_is_a_question(tmp_path: Path) -> None:
    events = served_form(tmp_path / "other.json", deepcopy(DOCUMENT))

    _, draft = _drafted(tmp_path, DOCUMENT, events)

    assert "webhooks" not in draft.rules
    assert "which events there are (the second OpenAPI file has none)" in draft.unknown


def test_a_job_can_be_canceled_where_it_has_a_state_for_it(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    answers = document["paths"]["/v1/videos/{id}"]["get"]["responses"]
    document["paths"]["/v1/videos/{id}/cancel"] = {
        "post": {"operationId": "cancelVideo", "responses": answers}
    }
    contract, _ = _drafted(tmp_path, document)
    lamp, _ = _served(contract)

    made = lamp.client.post("/v1/videos", json={"prompt": "a lamp"}).json()
    canceled = lamp.client.post(f"/v1/videos/{made['id']}/cancel")
    lamp.world.advance(2 * MINUTE_MS)
    read = lamp.client.get(f"/v1/videos/{made['id']}").json()

    assert (canceled.status, canceled.json()["status"]) == (200, "canceled")
    assert read["status"] == "canceled"


def test_cancelling_without_a_state_for_it_is_a_question(tmp_path: Path) -> None:
    document = deepcopy(DOCUMENT)
    _video(document)["properties"]["status"]["enum"].remove("canceled")
    answers = document["paths"]["/v1/videos/{id}"]["get"]["responses"]
    document["paths"]["/v1/videos/{id}/stop"] = {
        "post": {"operationId": "stopVideo", "responses": answers}
    }

    _, draft = _drafted(tmp_path, document)

    assert "what stopVideo does to a video" in draft.unknown
