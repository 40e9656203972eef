"""The kit on contracts that were not written for it: what it judges, and how it ends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from tests.contracts.openapi_documents import documents

#: Drawn documents and behaviours, in the quick tier and in the slow one.
_DOCUMENTS = [15, pytest.param(80, marks=pytest.mark.slow)]
_BEHAVIOURS = [6, pytest.param(40, marks=pytest.mark.slow)]
_NO_HEALTH_CHECKS: Any = list(HealthCheck)
_DRAWN = settings(
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_NO_HEALTH_CHECKS,
)

_VIDEO: Json = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["queued", "rendering", "complete", "error"]},
        "url": {"type": ["string", "null"], "format": "uri"},
    },
}
_PROBLEM: Json = {"type": "object", "properties": {"message": {"type": "string"}}}


def _reply(schema: Json) -> Json:
    return {"description": "A reply.", "content": {"application/json": {"schema": schema}}}


def _document(schemes: Mapping[str, Json], security: Json, *, has_refusals: bool) -> Json:
    refusals = {"default": _reply(_PROBLEM)} if has_refusals else {}
    given_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {
        "type": "object",
        "required": ["prompt"],
        "properties": {
            "prompt": {"type": "string", "maxLength": 200},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 10},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lamp", "version": "1"},
        "security": security,
        "paths": {
            "/videos": {
                "post": {
                    "operationId": "createVideo",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": body}},
                    },
                    "responses": {"201": _reply(_VIDEO), **refusals},
                },
                "get": {
                    "operationId": "listVideos",
                    "responses": {"200": _reply({"type": "array", "items": _VIDEO}), **refusals},
                },
            },
            "/videos/{id}": {
                "parameters": [given_id],
                "get": {
                    "operationId": "getVideo",
                    "responses": {"200": _reply(_VIDEO), **refusals},
                },
                "delete": {
                    "operationId": "deleteVideo",
                    "responses": {"204": {"description": "Deleted."}, **refusals},
                },
            },
            "/health": {
                "get": {
                    "operationId": "getHealth",
                    "security": [],
                    "responses": {"200": _reply({"type": "object"})},
                }
            },
        },
        "components": {"securitySchemes": schemes},
    }


_BEHAVIOUR: Json = {
    "behaviour": 1,
    "provider": {"id": "lamp"},
    "accounts": {"initial_credits": 100},
    "refusals": {
        "order": ["authentication", "body", "validation", "existence", "content", "credits"],
        "foreign": "hide",
        "body": {"message": "$message"},
    },
    "lifecycles": {
        "video": {
            "source": "A1",
            "states": {
                "queued": {"kind": "waiting", "lasts_ms": [1000, 5000]},
                "rendering": {"kind": "running", "lasts_ms": [20000, 60000]},
                "complete": {"kind": "succeeded"},
                "error": {"kind": "failed"},
            },
            "edges": {
                "queued": ["rendering"],
                "rendering": ["complete", "error"],
                "complete": [],
                "error": [],
            },
        }
    },
    "resources": {
        "video": {
            "id": "vid_{base62:12}",
            "lifecycle": "video",
            "view": {
                "id": "$id",
                "status": "$state",
                "url": None,
                "when": {"complete": {"url": "$url.video"}},
            },
        }
    },
    "operations": {
        "createVideo": {
            "effect": "billable",
            "does": "create",
            "starts": "video",
            "price": {
                "amount": "5 * seconds",
                "defaults": {"seconds": 4},
                "moment": "acceptance",
                "source": "A1",
            },
        },
        "listVideos": {"effect": "read", "does": "list", "starts": "video"},
        "getVideo": {
            "effect": "read",
            "does": "read",
            "acts_on": [{"resource": "video", "id": "path.id"}],
        },
        "deleteVideo": {
            "effect": "destructive",
            "does": "delete",
            "acts_on": [{"resource": "video", "id": "path.id"}],
        },
    },
    "urls": {"video": {"path": "{id}/video.mp4", "lives_ms": 3600000, "source": "A1"}},
    "media": {"size": [1280, 720], "fps": 24, "duration_s": 4},
}
_SCHEMES: Mapping[str, Json] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {}},
}


def _verified(folder: Path) -> Result:
    contract = read_contract(folder)
    checks, app = load_checks(contract), make_app(contract)
    scenarios = scenarios_of(contract, checks)
    return verify(contract, checks, lambda: InProcessTarget(app, contract), scenarios)


def _broken(result: Result) -> list[str]:
    return [f"{it.rule.id}: {it.detail}" for it in result.judge.broken_rules]


@pytest.mark.long
@pytest.mark.parametrize("count", _DOCUMENTS)
def test_any_drawn_document_is_verified_without_a_broken_rule(count: int) -> None:
    seen: Counter[str] = Counter()

    @settings(_DRAWN, max_examples=count)
    @given(document=documents())
    def check(document: Json) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "openapi.json")
            path.write_text(json.dumps(document))
            try:
                result = _verified(path)
            except ContractError:
                seen["refused"] += 1
                return
            reasons = {
                exchange.headers.get("x-screentest-reason", "").partition(":")[0]
                for ran in result.ran
                for exchange in ran.trace.exchanges
            }
            # A drawn schema may permit no value at all, which is a mistake of the document.
            if "contract" not in reasons:
                assert _broken(result) == []
            seen["verified"] += 1
            seen["kept"] += result.judge.counts()[RuleVerdict.KEPT]

    check()

    assert seen["verified"] > seen["refused"]
    assert seen["kept"] > 3 * seen["verified"]


@pytest.mark.parametrize("count", _BEHAVIOURS)
def test_a_contract_without_checks_or_words_is_judged_on_its_jobs_and_its_money(
    count: int,
) -> None:
    settings(_DRAWN, max_examples=count)(given(data=st.data())(_judge_one_behaviour))()


def _judge_one_behaviour(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(_SCHEMES)), min_size=1, unique=True))
    # One header cannot carry two credentials.
    in_header = [it for it in names if it in {"bearer", "basic", "oauth"}]
    together: Json = [{it: [] for it in names if it not in in_header[1:]}]
    security = data.draw(st.sampled_from([together, [{it: []} for it in names], []]))
    schemes = {it: _SCHEMES[it] for it in names}
    document = _document(schemes, security, has_refusals=data.draw(st.booleans()))
    behaviour = json.loads(json.dumps(_BEHAVIOUR))
    for part in data.draw(st.sets(st.sampled_from(["deleteVideo", "listVideos"]))):
        del behaviour["operations"][part]
    if data.draw(st.booleans()):
        behaviour["accounts"]["initial_credits"] = None
        del behaviour["operations"]["createVideo"]["price"]

    with TemporaryDirectory() as folder:
        Path(folder, "openapi.json").write_text(json.dumps(document))
        Path(folder, "behaviour.yaml").write_text(json.dumps(behaviour))
        result = _verified(Path(folder))

    assert _broken(result) == []
    kept = {it.id for it in result.rules(RuleVerdict.KEPT)}
    assert {"life.video.ends", "life.video.edges", "shape.getVideo"} <= kept
    assert not security or {"auth.getVideo.missing", "own.getVideo.foreign"} <= kept
    assert {"url.video.works", "media.video.container", "media.video.size"} <= kept
    if security and "price" in behaviour["operations"]["createVideo"]:
        assert {"money.createVideo.price", "money.createVideo.failure"} <= kept


@pytest.mark.parametrize("scheme", sorted(_SCHEMES))
def test_the_kit_puts_a_key_where_the_contract_reads_it(tmp_path: Path, scheme: str) -> None:
    document = _document(_SCHEMES, [{scheme: []}], has_refusals=False)
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "behaviour.yaml").write_text(json.dumps(_BEHAVIOUR))

    result = _verified(tmp_path)

    kept = {it.id for it in result.rules(RuleVerdict.KEPT)}
    assert _broken(result) == []
    assert {f"auth.{scheme}.ways", f"auth.{scheme}.others", "auth.getVideo.unknown"} <= kept
    shown = [it for ran in result.ran for it in ran.trace.exchanges]
    assert not [it.query for it in shown if "lamp_" in it.query], "a key is in a recorded query"


def test_contract_without_keys_is_not_accused_of_jobs_that_do_not_fail(tmp_path: Path) -> None:
    """All callers are one account, so no fault can be injected for the account of a scenario."""
    tmp_path.joinpath("openapi.json").write_text(json.dumps(_document({}, [], has_refusals=False)))
    tmp_path.joinpath("behaviour.yaml").write_text(json.dumps(_BEHAVIOUR))

    assert _broken(_verified(tmp_path)) == []
