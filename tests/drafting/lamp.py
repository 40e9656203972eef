"""An invented vendor: its OpenAPI file, a served draft of it, and recordings of its jobs."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.cli.main import main
from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, make_world

VIDEO: Json = {
    "type": "object",
    "required": ["id", "status", "error", "downloads"],
    "properties": {
        "id": {"type": "string", "example": "vid_7f3a91c0"},
        "status": {"type": "string", "enum": ["done", "queued", "rendering", "failed", "canceled"]},
        "prompt": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "credits_charged": {"type": "integer", "example": 40},
        "error": {
            "type": "object",
            "nullable": True,
            "required": ["message"],
            "properties": {"message": {"type": "string"}},
            "example": None,
        },
        "downloads": {
            "type": "array",
            "items": {"type": "object", "properties": {"url": {"type": "string", "format": "uri"}}},
        },
    },
}
PROBLEM: Json = {
    "description": "What was wrong",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["message"],
                "properties": {"message": {"type": "string"}},
            }
        }
    },
}


def _answer(schema: Json) -> Json:
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}


_ONE = _answer({"$ref": "#/components/schemas/Video"})
DOCUMENT: Json = {
    "openapi": "3.0.3",
    "info": {"title": "Lamp", "version": "1"},
    "servers": [{"url": "https://api.lamp.example"}],
    "security": [{"key": []}],
    "paths": {
        "/v1/videos": {
            "post": {
                "operationId": "createVideo",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["prompt"],
                                "properties": {"prompt": {"type": "string", "maxLength": 90}},
                            }
                        }
                    },
                },
                "responses": {"201": _ONE, "402": PROBLEM, "default": PROBLEM},
            },
            "get": {
                "operationId": "listVideos",
                "responses": {
                    "200": _answer(
                        {
                            "type": "object",
                            "required": ["items", "has_more"],
                            "properties": {
                                "items": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Video"},
                                },
                                "has_more": {"type": "boolean"},
                            },
                        }
                    ),
                    "default": PROBLEM,
                },
            },
        },
        "/v1/videos/{id}": {
            "get": {"operationId": "getVideo", "responses": {"200": _ONE, "404": PROBLEM}},
            "delete": {
                "operationId": "deleteVideo",
                "responses": {"204": {"description": "Gone"}, "404": PROBLEM},
            },
        },
        "/v1/voices": {
            "get": {
                "operationId": "listVoices",
                "responses": {"200": _answer({"type": "array", "items": {"type": "string"}})},
            }
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "schemas": {"Video": VIDEO},
    },
}


def write_document(folder: Path, document: Json = DOCUMENT) -> Path:
    """The file of *document* in *folder*."""
    path = folder / "vendor.json"
    path.write_text(json.dumps(document))
    return path


def enveloped() -> Json:
    """The document in which each answer about a video is inside of `data`."""
    document = deepcopy(DOCUMENT)
    whole = {"type": "object", "properties": {"data": {"$ref": "#/components/schemas/Video"}}}
    document["paths"]["/v1/videos"]["post"]["responses"]["201"] = _answer(whole)
    document["paths"]["/v1/videos/{id}"]["get"]["responses"]["200"] = _answer(whole)
    return document


def served(folder: Path) -> Account:
    """A new account at a mock of the contract in *folder*, on a manual clock."""
    contract = read_contract(folder)
    world = make_world(WsgiClient(create_app(contracts=[contract])))
    return world.account(contract.provider)


def verified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of `screentest verify` for the contract in *folder*, at a mock of it."""
    words = ["verify", folder.name, "--contract", str(folder), "--quiet"]
    return run(monkeypatch, *words)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `screentest` with *words*, in this process."""
    # The name of a folder for tests, which the command would warn about.
    monkeypatch.delenv("SCREENTEST_OPENAPI_SAMPLES", raising=False)
    monkeypatch.setattr(sys, "argv", ["screentest", *words])
    try:
        main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0
