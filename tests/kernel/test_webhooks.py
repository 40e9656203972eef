"""Webhooks as rules: bodies, signatures, secrets, and when an attempt is due again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from screentest.mock_server.kernel.webhooks import (
    ATTEMPTS_KEPT_MAX,
    Attempt,
    Delivery,
    Endpoint,
    Fate,
    Outcome,
    event_body,
    retry_wait_ms,
    settled,
    signed_headers,
)
from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.expressions.templates import Template

_FINISHED = WebhookEvent(
    "play.applauded", "play", Kind.SUCCEEDED, Template({"film": "$job.url.film"})
)
_RULES = WebhookRules(
    events={"play.applauded": _FINISHED},
    id_form="note_{hex:20}",
    body=Template({"note": "$id", "at": "$created.ms", "play": "$job.id", "more": "$data"}),
    headers={
        "Stage-Note": "{id}",
        "Stage-Try": "{attempt}",
        "Stage-Seal": "t={timestamp.ms},v={signature.base64}",
        "Stage-Hex": "{signature.hex}",
    },
    signed="{id}|{timestamp.ms}|{body}",
    retries_ms=(1_000, 10_000),
    endpoints_max=2,
    secret_form="seal_{base62:32}",
    source="MA-012",
)
_ENDPOINT = Endpoint("ep_1", 1, "marionette", "acct_1", "http://127.0.0.1:9/", (), 0)
_DELIVERY = Delivery(
    id="dlv_1",
    seq=1,
    provider="marionette",
    endpoint="ep_1",
    event="note_1",
    type="play.applauded",
    job="play_1",
    operation="createPlay",
    created_ms=5_000,
    body='{"note":"note_1"}',
    due_ms=5_000,
)


def _attempt(number: int, due_ms: int) -> Attempt:
    return Attempt("w_1", "marionette", "dlv_1", "ep_1", number, due_ms, ticket=number)


def _after(delivery: Delivery, due_ms: int, status: int | None) -> Delivery:
    attempt = _attempt(len(delivery.attempts) + 1, due_ms)
    line = {"number": attempt.number, "status": status}
    return settled(_RULES, delivery, attempt, Outcome(status), line)


# --- Bodies ---------------------------------------------------------------------------------------


def test_body_is_the_contracts_template_filled_in() -> None:
    job = {"id": "play_1", "url": {"film": "http://127.0.0.1/film.mp4"}}

    body = event_body(_RULES, _FINISHED, "note_1", 1_767_225_600_000, job)

    assert body == (
        '{"note":"note_1","at":1767225600000,"play":"play_1",'
        '"more":{"film":"http://127.0.0.1/film.mp4"}}'
    )


def test_fact_that_a_job_lacks_is_null() -> None:
    body = event_body(_RULES, _FINISHED, "note_1", 0, {"id": "play_1"})

    assert json.loads(body)["more"] == {"film": None}


# --- Signatures -----------------------------------------------------------------------------------


def test_signature_is_the_hmac_of_what_the_contract_names() -> None:
    """The figure comes from `openssl dgst -sha256 -hmac secret`."""
    headers = signed_headers(_RULES, "secret", _DELIVERY, 3, 1_767_225_600_123)

    assert headers == {
        "Stage-Note": "note_1",
        "Stage-Try": "3",
        "Stage-Seal": "t=1767225600123,v=Ip9xQTbeONmMqwCxSehXgB44bR8uwZzvRien9Wohp4g=",
        "Stage-Hex": "229f714136de38d98cab00b149e857801e386d1f2ec19cef4627a7f56a21a788",
    }


@given(
    body=st.text(max_size=200),
    secret=st.text(min_size=1, max_size=60),
    wall_ms=st.integers(0, 2**45),
)
def test_signature_verifies_whatever_is_sent(body: str, secret: str, wall_ms: int) -> None:
    delivery = replace(_DELIVERY, body=body.encode(errors="replace").decode())
    secret = secret.encode(errors="replace").decode()

    headers = signed_headers(_RULES, secret, delivery, 1, wall_ms)

    signed = f"note_1|{wall_ms}|{delivery.body}".encode()
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    assert headers["Stage-Seal"] == f"t={wall_ms},v={base64.b64encode(expected).decode()}"


@given(place=st.integers(0, 16), other=st.characters(codec="ascii"))
def test_any_other_body_has_another_signature(place: int, other: str) -> None:
    body = _DELIVERY.body[:place] + other + _DELIVERY.body[place + 1 :]

    signatures = {
        signed_headers(_RULES, "secret", replace(_DELIVERY, body=each), 1, 0)["Stage-Hex"]
        for each in (body, _DELIVERY.body)
    }

    assert len(signatures) == (1 if body == _DELIVERY.body else 2)


def test_signature_depends_on_secret_moment_and_event_but_not_on_the_attempt() -> None:
    plain = signed_headers(_RULES, "secret", _DELIVERY, 1, 0)["Stage-Hex"]

    others = [
        signed_headers(_RULES, "Secret", _DELIVERY, 1, 0)["Stage-Hex"],
        signed_headers(_RULES, "secret", _DELIVERY, 1, 1)["Stage-Hex"],
        signed_headers(_RULES, "secret", replace(_DELIVERY, event="note_2"), 1, 0)["Stage-Hex"],
    ]

    assert len({plain, *others}) == 4
    assert signed_headers(_RULES, "secret", _DELIVERY, 2, 0)["Stage-Hex"] == plain


def test_places_in_a_body_are_not_filled_in_again() -> None:
    """A prompt may hold braces; what is signed is what is sent."""
    delivery = replace(_DELIVERY, body='{"title":"{timestamp.ms} {body}"}')

    signed = signed_headers(_RULES, "secret", delivery, 1, 7)["Stage-Hex"]

    expected = hmac.new(b"secret", b'note_1|7|{"title":"{timestamp.ms} {body}"}', hashlib.sha256)
    assert signed == expected.hexdigest()


# --- Secrets and endpoints ------------------------------------------------------------------------


def test_secret_is_minted_again_from_the_world_and_changes_with_a_rotation() -> None:
    first = _ENDPOINT.secret(_RULES, "w_1", 7)

    assert first == _ENDPOINT.secret(_RULES, "w_1", 7)
    assert first.startswith("seal_")
    assert len(first) == len("seal_") + 32
    others = [
        replace(_ENDPOINT, rotations=1).secret(_RULES, "w_1", 7),
        replace(_ENDPOINT, id="ep_2").secret(_RULES, "w_1", 7),
        _ENDPOINT.secret(_RULES, "w_2", 7),
        _ENDPOINT.secret(_RULES, "w_1", 8),
    ]
    assert len({first, *others}) == 5


@pytest.mark.parametrize(
    ("events", "account", "type_", "wants"),
    [
        ((), "acct_1", "play.booed", True),
        (("play.booed",), "acct_1", "play.booed", True),
        (("play.applauded",), "acct_1", "play.booed", False),
        ((), "acct_2", "play.booed", False),
    ],
)
def test_endpoint_wants_what_it_asked_for_of_its_own_account(
    events: tuple[str, ...], account: str, type_: str, *, wants: bool
) -> None:
    endpoint = replace(_ENDPOINT, events=events)

    assert endpoint.wants(account, type_) is wants


def test_an_endpoint_comes_back_from_json_as_it_was() -> None:
    endpoint = replace(_ENDPOINT, events=("play.booed",), rotations=2)
    assert Endpoint.from_json(json.loads(json.dumps(endpoint.to_json()))) == endpoint


# --- Outcomes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_success"),
    [
        (None, False),
        (100, False),
        (199, False),
        (200, True),
        (204, True),
        (299, True),
        (300, False),
        (301, False),
        (304, False),
        (400, False),
        (410, False),
        (500, False),
    ],
)
def test_only_the_two_hundreds_are_success(status: int | None, *, is_success: bool) -> None:
    assert Outcome(status).is_success is is_success


def test_waits_are_the_contracts_and_end() -> None:
    assert [retry_wait_ms(_RULES, failures) for failures in (1, 2, 3)] == [1_000, 10_000, None]


def test_failed_attempt_is_due_again_after_the_next_wait_until_they_are_used_up() -> None:
    first = _after(_DELIVERY, 5_000, 500)
    second = _after(first, 6_000, None)
    third = _after(second, 16_000, 301)

    seen = [(it.fate, it.due_ms) for it in (first, second, third)]
    assert seen == [(Fate.PENDING, 6_000), (Fate.PENDING, 16_000), (Fate.EXHAUSTED, None)]
    assert [line["status"] for line in third.attempts] == [500, None, 301]


def test_success_ends_the_delivery() -> None:
    after = _after(_after(_DELIVERY, 5_000, 500), 6_000, 204)

    assert (after.fate, after.due_ms, after.ticket) == (Fate.DELIVERED, None, None)


def test_delivery_that_was_received_once_stays_delivered() -> None:
    received = _after(_DELIVERY, 5_000, 200)

    assert _after(received, 9_000, 500).fate is Fate.DELIVERED


def test_copy_is_not_repeated() -> None:
    after = _after(replace(_DELIVERY, is_single=True), 5_000, 500)

    assert (after.fate, after.due_ms) == (Fate.EXHAUSTED, None)


def test_delivery_that_was_cancelled_while_under_way_is_not_repeated() -> None:
    after = _after(replace(_DELIVERY, fate=Fate.CANCELLED), 5_000, 500)

    assert (after.fate, after.due_ms) == (Fate.CANCELLED, None)


def test_only_the_newest_attempts_are_kept() -> None:
    delivery = replace(_DELIVERY, attempts=tuple({"status": 500} for _ in range(ATTEMPTS_KEPT_MAX)))

    after = _after(delivery, 5_000, 503)

    assert len(after.attempts) == ATTEMPTS_KEPT_MAX
    assert after.attempts[-1]["status"] == 503
