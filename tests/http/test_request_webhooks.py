"""Events for the address that a job's own request names, on any state, and canceled jobs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.json_types import Json

from .receiver import Received, Receiver, receiving

_DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Lamp", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/jobs": {"post": {"operationId": "start", "responses": {"201": {"description": "made"}}}},
        "/jobs/{id}": {"get": {"operationId": "read", "responses": {"200": {"description": "it"}}}},
        "/jobs/{id}/stop": {
            "post": {"operationId": "stop", "responses": {"200": {"description": "it"}}}
        },
        "/secret": {"get": {"operationId": "tell", "responses": {"200": {"description": "it"}}}},
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
}
_BODY: Json = {
    "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
}
_ANSWER: Json = {"content": {"application/json": {"schema": {"type": "object"}}}}
_BEHAVIOUR = """
behaviour: 1
provider: {id: lamp}
accounts: {initial_credits: 100}
refusals: {order: [authentication, body, validation, existence, credits]}
lifecycles:
  job:
    source: A1
    states:
      queued: {kind: waiting, lasts_ms: [1000, 1000]}
      running: {kind: running, lasts_ms: [9000, 9000]}
      done: {kind: succeeded}
      failed: {kind: failed}
      canceled: {kind: closed}
    edges:
      queued: [running, canceled]
      running: [done, failed, canceled]
      done: []
      failed: []
      canceled: []
resources:
  job: {id: "job_{hex:8}", lifecycle: job, view: {id: $id, state: $state}}
operations:
  start:
    effect: billable
    does: create
    starts: job
    price: {amount: 5, moment: acceptance, source: A1}
  read: {effect: read, does: read, acts_on: [{resource: job, id: path.id}]}
  stop: {effect: write, does: cancel, acts_on: [{resource: job, id: path.id}]}
  tell: {effect: read, does: example, answer: {key: $webhook_secret}}
webhooks:
  source: A1
  id: "msg_{hex:8}"
  events:
    started: {lifecycle: job, enters: [running]}
    ended: {lifecycle: job, enters: [done, failed, canceled]}
  body: {type: $type, job: $job.view}
  headers:
    webhook-id: "{id}"
    webhook-timestamp: "{timestamp.s}"
    webhook-signature: "v1,{signature.base64}"
  signed: "{id}.{timestamp.s}.{body}"
  secret_is: base64
  secret_form: "whsec_{base62:32}"
  address: $job.input.?callback
  only: $job.input.?events
  retries_ms: [1000]
  endpoints_max: 5
"""


class Lamp:
    """The mock of a small contract, with the key of its first account."""

    def __init__(self, folder: Path) -> None:
        document = json.loads(json.dumps(_DOCUMENT))
        for item in document["paths"].values():
            for operation in item.values():
                for reply in operation["responses"].values():
                    reply.update(_ANSWER)
        document["paths"]["/jobs"]["post"]["requestBody"] = _BODY
        (folder / "openapi.json").write_text(json.dumps(document))
        (folder / "behaviour.yaml").write_text(_BEHAVIOUR)
        self._client = Client(create_app(contracts=[read_contract(folder)]))
        self.control("PATCH", "/worlds/default/clock", {"mode": "manual"})
        env = self.control("GET", "/worlds/default")["env"]
        self._headers = {"Authorization": f"Bearer {env['LAMP_API_KEY']}"}

    def control(self, method: str, path: str, body: Json = None) -> Any:
        answer = self._client.open(f"/_screentest{path}", method=method, json=body)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    def call(self, method: str, path: str, body: Json = None) -> Any:
        answer = self._client.open(f"/lamp{path}", method=method, json=body, headers=self._headers)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    def advance(self, seconds: int) -> None:
        self.control("POST", "/worlds/default/clock/advance", {"by_ms": seconds * 1_000})

    @property
    def credits(self) -> int:
        account = self.control("GET", "/worlds/default/accounts/acct_1")
        return int(account["credits"]["available"])


@pytest.fixture
def lamp(tmp_path: Path) -> Lamp:
    return Lamp(tmp_path)


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as found:
        yield found


def _shown(found: Received) -> tuple[str, str]:
    body = json.loads(found.body)
    return body["type"], body["job"]["state"]


def test_each_state_that_the_contract_names_is_sent_to_the_address_of_the_request(
    lamp: Lamp, receiver: Receiver
) -> None:
    lamp.call("POST", "/jobs", {"callback": receiver.url})
    lamp.call("POST", "/jobs", {})
    lamp.advance(60)

    assert [_shown(it) for it in receiver.received] == [("started", "running"), ("ended", "done")]


def test_a_request_gets_only_the_events_that_it_asks_for(lamp: Lamp, receiver: Receiver) -> None:
    lamp.call("POST", "/jobs", {"callback": receiver.url, "events": ["ended"]})
    lamp.advance(60)

    assert [_shown(it) for it in receiver.received] == [("ended", "done")]


def test_all_addresses_of_an_account_are_signed_with_the_secret_that_it_can_read(
    lamp: Lamp, receiver: Receiver
) -> None:
    for path in ("/a", "/b"):
        lamp.call("POST", "/jobs", {"callback": receiver.url + path, "events": ["ended"]})
    lamp.advance(60)
    secret = lamp.call("GET", "/secret")["key"]

    assert [it.path for it in receiver.received] == ["/hook/a", "/hook/b"]
    for found in receiver.received:
        # As Standard Webhooks defines it: the key is the decoded part after `whsec_`.
        key = base64.b64decode(secret.removeprefix("whsec_"))
        id_, at = found.headers["webhook-id"], found.headers["webhook-timestamp"]
        signed = b".".join([id_.encode(), at.encode(), found.body])
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert found.headers["webhook-signature"] == f"v1,{wanted}"


def test_a_canceled_job_stops_at_once_and_gives_its_credits_back(
    lamp: Lamp, receiver: Receiver
) -> None:
    made = lamp.call("POST", "/jobs", {"callback": receiver.url})
    lamp.advance(2)

    stopped = lamp.call("POST", f"/jobs/{made['id']}/stop")
    lamp.advance(60)

    assert stopped["state"] == "canceled"
    assert lamp.call("GET", f"/jobs/{made['id']}")["state"] == "canceled"
    assert lamp.credits == 100
    assert [_shown(it) for it in receiver.received] == [
        ("started", "running"),
        ("ended", "canceled"),
    ]


def test_a_job_that_has_ended_is_not_canceled(lamp: Lamp) -> None:
    made = lamp.call("POST", "/jobs", {})
    lamp.advance(60)

    assert lamp.call("POST", f"/jobs/{made['id']}/stop")["state"] == "done"
    assert lamp.credits == 95
