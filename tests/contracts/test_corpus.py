"""Hundreds of OpenAPI documents: each is served as it says, or refused with file and line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from werkzeug.test import Client, TestResponse

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.openapi.generating import UngeneratedError, generate
from screentest.specs.openapi.operations import Operation

from .openapi_documents import documents

#: Documents in the quick tier and in the slow one.
_DOCUMENTS = [60, pytest.param(220, marks=pytest.mark.slow)]
#: Documents are large, and serving one takes long.
_NO_HEALTH_CHECKS: Any = list(HealthCheck)
_PROBLEM = re.compile(r".*/openapi\.json(:\d+)?: \S.*")


class Served:
    """A mock of one contract with the key of its first account in every place that takes one."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        app = create_app(contracts=[contract])
        self._client = Client(app, use_cookies=False)
        env = self._client.get("/_screentest/worlds/default").get_json()["env"]
        self._key: str = next((it for name, it in env.items() if name.endswith("_API_KEY")), "")

    def call(self, operation: Operation, body: Json, content_type: str | None) -> TestResponse:
        path = re.sub(r"\{[^}]*\}", "7", operation.path)
        headers = {"Authorization": f"Bearer {self._key}", "X-Key": self._key}
        headers |= {"Cookie": f"sid={self._key}"} if self._key else {}
        return self._client.open(
            f"/{self.contract.provider}{path}?api_key={self._key}",
            method=operation.method,
            headers=headers,
            data=json.dumps(body) if content_type is not None else None,
            content_type=content_type,
        )


def _outcomes(served: Served) -> Counter[str]:
    """What the operations answer; raises if an answer is not what the document says."""
    seen: Counter[str] = Counter()
    for operation in served.contract.operations.values():
        content_type, schema = next(iter(operation.bodies.items()), (None, None))
        try:
            body = generate(schema, Random(1)) if schema is not None else None
        except UngeneratedError:
            body = None
        for sent in (body, {"not": ["what", 1]}):
            answer = served.call(operation, sent, content_type)
            reason = answer.headers.get("X-Screentest-Reason", "")
            assert not reason.startswith("ours:"), (operation.id, answer.data)
            # The words for an exception that nothing foresaw.
            assert b"may also be screentest's own" not in answer.get_data(), operation.id
            seen[reason.partition(":")[0]] += 1
            if reason.startswith("contract:") or operation.reply(answer.status_code) is None:
                continue
            is_json = "json" in (answer.content_type or "")
            value = json.loads(answer.data) if is_json and answer.data else None
            shown = answer.content_type if answer.data else None
            broken = operation.reply_violations(answer.status_code, shown, value)
            assert not is_json or broken == [], (operation.id, answer.data, broken)
    return seen


def _read(path: Path) -> tuple[Contract | None, Sequence[str]]:
    try:
        contract = read_contract(path)
        _ = contract.operations
    except ContractError as error:
        return None, error.problems
    return contract, ()


@pytest.mark.long
@pytest.mark.parametrize("count", _DOCUMENTS)
def test_drawn_documents_are_served_as_they_say_or_refused_with_their_lines(count: int) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=_NO_HEALTH_CHECKS,
    )
    @given(document=documents())
    def serve(document: Json) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "openapi.json")
            path.write_text(json.dumps(document, indent=1))
            contract, problems = _read(path)
            assert all(_PROBLEM.fullmatch(it) for it in problems), problems
            if contract is not None:
                seen.update(_outcomes(Served(contract)))
            seen["served" if contract is not None else "refused"] += 1

    serve()

    assert seen["served"] >= 0.9 * count
    assert seen["unbehaved"] > 1.5 * count
    # Some drawn schemas permit no value at all.
    assert seen["contract"] < seen["unbehaved"] / 10


_COMPLETE: Json = {
    "openapi": "3.0.3",
    "info": {"title": "Lamp", "version": "1"},
    "paths": {
        "/videos": {
            "get": {
                "operationId": "listVideos",
                "parameters": [
                    {
                        "name": "size",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 50},
                    },
                    {
                        "name": "states",
                        "in": "query",
                        "schema": {
                            "type": "array",
                            "items": {"type": "string", "enum": ["queued", "done"]},
                        },
                    },
                ],
                "responses": {
                    "200": {"$ref": "#/components/responses/Videos"},
                    "422": {"$ref": "#/components/responses/Problem"},
                },
            },
            "post": {
                "operationId": "createVideo",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewVideo"}}
                    },
                },
                "responses": {
                    "201": {"$ref": "#/components/responses/Video"},
                    "400": {"$ref": "#/components/responses/Problem"},
                    "415": {"$ref": "#/components/responses/Problem"},
                    "422": {"$ref": "#/components/responses/Problem"},
                },
            },
        },
        "/videos/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "get": {
                "operationId": "getVideo",
                "responses": {"200": {"$ref": "#/components/responses/Video"}},
            },
            "delete": {"operationId": "deleteVideo", "responses": {"204": {"description": "gone"}}},
        },
    },
    "components": {
        "responses": {
            name: {
                "description": name,
                "content": {"application/json": {"schema": schema}},
            }
            for name, schema in {
                "Video": {"$ref": "#/components/schemas/Video"},
                "Videos": {"type": "array", "items": {"$ref": "#/components/schemas/Video"}},
                "Problem": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {"message": {"type": "string"}},
                },
            }.items()
        },
        "schemas": {
            "NewVideo": {
                "type": "object",
                "required": ["prompt"],
                "additionalProperties": False,
                "properties": {
                    "prompt": {"type": "string", "minLength": 1, "maxLength": 40},
                    "seconds": {"type": "integer", "minimum": 1, "maximum": 10, "nullable": True},
                },
            },
            "Video": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string", "pattern": "^vid_[0-9a-f]{12}$"},
                    "state": {"type": "string", "enum": ["queued", "running", "done"]},
                    "made_at": {"type": "string", "format": "date-time"},
                    "parent": {"$ref": "#/components/schemas/Video"},
                    "link": {
                        "oneOf": [
                            {"type": "string", "format": "uri"},
                            {"type": "integer", "minimum": 3},
                        ]
                    },
                },
            },
        },
    },
}


@pytest.mark.long
@pytest.mark.parametrize("generation", ["POSITIVE", "NEGATIVE"])
def test_schemathesis_finds_nothing_at_a_served_document(tmp_path: Path, generation: str) -> None:
    path = tmp_path / "lamp.json"
    path.write_text(json.dumps(_COMPLETE))
    app = create_app(contracts=[read_contract(path)])
    schema = schemathesis.openapi.from_dict(_COMPLETE)
    schema.app = app
    mode = getattr(schemathesis.GenerationMode, generation)
    calls = 0

    for result in schema.get_all_operations():
        found: Any = result  # its own types are open
        operation = found.ok()

        @settings(
            max_examples=25,
            phases=[Phase.generate],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=_NO_HEALTH_CHECKS,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            nonlocal calls
            calls += 1
            case.call_and_validate(base_url="http://localhost/lamp")

        try:
            check()
        except Exception as error:
            if type(error).__name__ != "Unsatisfiable":
                raise

    assert calls >= 30
