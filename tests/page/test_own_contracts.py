"""The page of mocks of contracts whose keys are in no header, or that take none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.json_types import Json

_SCHEMES: Json = {
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
}


@pytest.mark.parametrize(
    ("scheme", "shown"),
    [("query", "/jobs?api_key=lamp_"), ("cookie", "Cookie: sid=lamp_"), (None, "/lamp/jobs")],
)
def test_the_call_to_paste_has_the_key_where_the_contract_reads_it(
    tmp_path: Path, scheme: str | None, shown: str
) -> None:
    body: Json = {"schema": {"type": "object"}, "examples": {"lamp": {"value": {}}}}
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Lamp", "version": "1"},
        "security": [{scheme: []}] if scheme else [],
        "paths": {
            "/jobs": {
                "post": {
                    "operationId": "start",
                    "requestBody": {"content": {"application/json": body}},
                    "responses": {"201": {"description": "made"}},
                }
            }
        },
        "components": {"securitySchemes": {scheme: _SCHEMES[scheme]} if scheme else {}},
    }
    behaviour: Json = {
        "behaviour": 1,
        "provider": {"id": "lamp"},
        "lifecycles": {
            "job": {
                "states": {
                    "running": {"kind": "running", "lasts_ms": [1, 1]},
                    "done": {"kind": "succeeded"},
                    "failed": {"kind": "failed"},
                },
                "edges": {"running": ["done", "failed"], "done": [], "failed": []},
            }
        },
        "resources": {"job": {"id": "job_{hex:8}", "lifecycle": "job"}},
        "operations": {"start": {"effect": "write", "does": "create", "starts": "job"}},
    }
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "behaviour.yaml").write_text(json.dumps(behaviour))
    client = Client(create_app(contracts=[read_contract(tmp_path)]))

    page = client.get("/_screentest/ui/w/default/", follow_redirects=True)

    assert page.status_code == 200
    assert shown in page.get_data(as_text=True)
