"""A credential is recognised by the contract and by the name of its header, everywhere."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from werkzeug.test import Client as WsgiClient

from screentest.contract_tests.traces.trace import Raw, Trace, understand
from screentest.contract_tests.traces.trace_file import TraceWriter
from screentest.mock_server.cli.request_line import request_lines
from screentest.mock_server.http.app import create_app
from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.credentials import KeyPlace
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.contracts.redaction import (
    BY_SHAPE,
    REDACTED,
    Secrets,
    is_secret_header,
    without_secrets,
)
from screentest.specs.json_types import Json
from tests.lantern.lantern import contract as lantern
from tests.mock_client import MockWorld, make_world

_MARIONETTE = Path(__file__).parents[1] / "marionette"
_FOREIGN_HEADERS = (
    "Authorization",
    "Cookie",
    "Ocp-Apim-Subscription-Key",
    "Proxy-Authorization",
    "X-Api-Secret",
    "X-Foo-Token",
    "X-Goog-Api-Key",
    "X-Stage-Key",
)
#: Not in the form of a vendor's key: only the header shows that it is a credential.
_SECRET = "plain words 9f86d081 of 884c7d65 no 9a2feaa0 shape"


def _marionette() -> Contract:
    return read_contract(_MARIONETTE)


@cache
def _compiled() -> Contract:
    contract = _marionette()
    assert contract.operations
    return contract


def _world(*contracts: Contract) -> MockWorld:
    app = create_app(contracts=contracts or [_marionette()])
    return make_world(WsgiClient(app, use_cookies=False))


def _journal(world: MockWorld) -> str:
    return world.control.get(f"{world.path}/requests", query={"limit": 200}).text


@pytest.mark.parametrize("value", [_SECRET, _SECRET.replace(" ", "")])
@pytest.mark.parametrize("header", _FOREIGN_HEADERS)
def test_credential_in_any_header_is_not_in_the_journal(header: str, value: str) -> None:
    world = _world()

    world.anonymous("marionette").get("/v1/plays", headers={header: value})

    journal = _journal(world)
    kept: str = json.loads(journal)["items"][0]["request"]["headers"][header.lower()]
    assert [word for word in value.split() if word in journal and len(word) > 5] == []
    assert kept.startswith(value[:4] + "…[")


def test_every_part_of_a_cookie_is_cut() -> None:
    kept = BY_SHAPE.cut_headers({"cookie": "session=abcdefgh; theme=ijklmnop"})["cookie"]

    assert "abcdefgh" not in kept
    assert "ijklmnop" not in kept


@pytest.mark.parametrize(
    "header",
    ["idempotency-key", "user-agent", "accept", "x-remaining-tokens", "x-turkey"],
)
def test_other_headers_are_kept(header: str) -> None:
    assert not is_secret_header(header)
    assert BY_SHAPE.cut_headers({header: "some words"}) == {header: "some words"}


def test_contract_decides_about_its_own_headers() -> None:
    behaviour = _marionette().behaviour
    credential = replace(
        behaviour.credentials["stageKey"], accepts=(KeyPlace(header="X-Stage-Word"),)
    )
    behaviour = replace(behaviour, credentials={"stageKey": credential})

    assert behaviour.credential_headers == {"x-stage-word"}
    assert is_secret_header("X-Stage-Word", behaviour)
    assert not is_secret_header("X-Stage-Word")
    assert without_secrets({"x-stage-word": "a", "accept": "b"}, behaviour) == {
        "x-stage-word": REDACTED,
        "accept": "b",
    }


def test_key_without_a_scheme_word_is_not_in_the_finding_about_it() -> None:
    """The scheme is shown; a key without a scheme is not taken for one."""
    world = _world(lantern())

    world.anonymous("lantern").get("/v1/lamps", headers={"Authorization": "hunter2-my-secret"})
    world.anonymous("lantern").get("/v1/lamps", headers={"X-Stage-Key": "hunter2-my-secret"})

    assert "hunter2" not in _journal(world).replace("hunt…", "")


def test_two_wrong_keys_in_a_header_of_the_contract_are_two_requests() -> None:
    """SC205 reports a repeated request. A request with another key is not a repeated one."""
    world = _world()
    client = world.anonymous("marionette")

    for key in ("stage_one", "stage_two", "stage_two"):
        client.get("/v1/plays", headers={"X-Stage-Key": key})

    codes = [[it["code"] for it in line["findings"]] for line in world.requests()]
    assert ["SC205" in it for it in codes] == [False, False, True]


_ALPHABETS = ("hex", "base36", "base62", "digits")
_LITERAL = st.text("abcxyzABC_-.", max_size=8)
#: Forms of keys, from `{hex:16}` to `stage_{base62:20}.{digits:12}-x`.
_FORMS = st.lists(
    st.tuples(_LITERAL, st.sampled_from(_ALPHABETS), st.integers(12, 40)), min_size=1, max_size=3
).map(lambda parts: "".join(f"{text}{{{letters}:{count}}}" for text, letters, count in parts))


def _with_key_form(form: str, header: str, scheme: str) -> Contract:
    """Marionette, with keys of another form in another header."""
    contract = copy(_compiled())
    behaviour: Behaviour = contract.behaviour
    place = KeyPlace(header=header, scheme=scheme)
    credential = replace(behaviour.credentials["stageKey"], key_form=form, accepts=(place,))
    contract.behaviour = replace(behaviour, credentials={"stageKey": credential})
    return contract


def _send_everywhere(
    world: MockWorld, key: str, header: Mapping[str, str]
) -> Sequence[tuple[str, str, bytes]]:
    """Send *key* in a place that a client controls. Returns (method, path, body) of the request."""
    client = world.anonymous("marionette")
    calls = [
        ("GET", "/v1/plays", b""),
        ("GET", f"/v1/plays/{key}", b""),
        ("GET", f"/nowhere/{key}", b""),
        ("POST", "/v1/plays", json.dumps({"title": f"Use {key} please"}).encode()),
        ("POST", "/v1/plays", json.dumps({"title": "Faust", key: 1}).encode()),
        ("POST", "/v1/plays", key.encode()),
    ]
    for method, path, body in calls:
        client.request(
            method,
            path,
            raw=body or None,
            query={"note": key},
            headers={
                **header,
                "Content-Type": "application/json",
                "X-Note": key,
                "User-Agent": f"me {key}",
            },
        )
    return calls


@settings(max_examples=25, deadline=None)
@given(_FORMS, st.sampled_from(["X-Stage-Key", "Authorization", "X-Pass"]))
def test_no_minted_key_of_any_form_is_kept_or_logged(form: str, header: str) -> None:
    contract = _with_key_form(form, header, "Bearer" if header == "Authorization" else "")
    lines: list[Json] = []
    app = create_app(contracts=[contract], observe=lambda it, _: lines.append(it.note.line))
    world = make_world(WsgiClient(app, use_cookies=False))
    account = world.control.post(f"{world.path}/accounts", json={"provider": "marionette"}).json()
    key: str = account["api_key"]
    sent = f"Bearer {key}" if header == "Authorization" else key

    _send_everywhere(world, key, {header: sent})
    world.control.post(f"{world.path}/snapshots", json={"name": "kept"})

    log = "\n".join(text for line in lines for text in request_lines(line, io.StringIO()))
    places = {
        "log": log,
        "journal": _journal(world),
        "jobs": world.control.get(f"{world.path}/jobs").text,
        "snapshot": world.control.get(f"{world.path}/snapshots/kept").text,
    }
    assert [line["response"]["status"] for line in lines][:1] == [200]
    assert [name for name, text in places.items() if key in text] == []


@settings(max_examples=25, deadline=None)
@given(_FORMS, st.sampled_from(["X-Stage-Key", "Authorization", "X-Pass"]), st.data())
def test_no_minted_key_of_any_form_is_recorded(
    tmp_path_factory: Any, form: str, header: str, data: Any
) -> None:
    contract = _with_key_form(form, header, "")
    world = _world(contract)
    account = world.control.post(f"{world.path}/accounts", json={"provider": "marionette"}).json()
    key: str = account["api_key"]
    where = data.draw(st.sampled_from(["path", "query", "request_body", "body", "headers"]))
    fields = {"path": "/v1/plays", "query": "", "request_body": b"", "body": b"{}"}
    raw = Raw(
        method="GET",
        request_headers={header.lower(): key, "x-foo-token": "abcdefgh"},
        status=200,
        headers={"x-echo": key if where == "headers" else ""},
        at_ms=0,
        **_with(fields, where, key),
    )
    path: Path = tmp_path_factory.mktemp("trace") / "trace.ndjson"
    trace = Trace("marionette")
    trace.add(understand(contract, raw, number=1, actor="owner", key="owner#0"))

    writer = TraceWriter(path, "marionette", Secrets(contract.behaviour))
    for event in trace.events:
        writer.add(event)
    writer.close()

    kept = path.read_text()
    assert key not in kept
    assert "abcdefgh" not in kept
    # The name of a header can itself have the form of a key, so only the values are compared.
    headers = json.loads(kept.splitlines()[1])["request_headers"]
    assert list(headers.values()) == [REDACTED, REDACTED]


def _with(fields: Json, where: str, key: str) -> Json:
    texts = {
        "path": f"/v1/plays/{key}",
        "query": f"note={key}",
        "request_body": json.dumps({"title": key}).encode(),
        "body": json.dumps({key: [key]}).encode(),
    }
    return {name: texts[name] if name == where else value for name, value in fields.items()}
