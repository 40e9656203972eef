"""Inputs and answers at the edges of what the page says, with each reading where it is silent."""

from __future__ import annotations

import pytest
import yaml

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps


@pytest.mark.clause("UG-079")
def test_the_openapi_document_is_served_without_a_key(world: MockWorld) -> None:
    answer = world.anonymous("ugc_copilot").get(steps.DOCUMENT)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/yaml")
    assert yaml.safe_load(answer.content) == load_contract("ugc_copilot").document


@pytest.mark.clause("UG-079")
def test_the_openapi_document_is_that_of_the_readings_of_the_world(world: MockWorld) -> None:
    world.choose(ugc_copilot__duration_bounds="client_range")

    served = yaml.safe_load(world.anonymous("ugc_copilot").get(steps.DOCUMENT).content)

    duration = served["components"]["schemas"]["StartInput"]["properties"]["duration"]
    assert (duration["minimum"], duration["maximum"]) == (4, 20)


@pytest.mark.clause("UG-079", "UG-002")
def test_the_openapi_document_is_read_and_not_called(world: MockWorld) -> None:
    answer = world.anonymous("ugc_copilot").post(steps.DOCUMENT, json={})

    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["error"]["message"] == "This path takes GET, not POST."


@pytest.mark.clause("UG-007")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {},
            "engine: expected a value, got nothing; "
            "the body has neither `data` nor a field of the call",
        ),
        ({"data": "x"}, "data: expected an object that holds the fields of the call, got string"),
        ({"data": None}, "data: expected an object that holds the fields of the call, got null"),
        ({"engine": "sora"}, "visualPrompt: expected a value, got nothing"),
    ],
)
def test_body_without_data_is_refused_in_words_about_data(
    ugc: Account, body: Json, message: str
) -> None:
    error = ugc.client.post(steps.START, json=body).json()["error"]

    assert (error["code"], error["message"]) == ("invalid-argument", message)
    assert error["field"] == message.partition(":")[0]


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize(("duration", "rendered"), [(0.5, 4), (100, 20), (601, 20), (1e300, 20)])
def test_any_positive_duration_is_clamped(ugc: Account, duration: float, rendered: int) -> None:
    """U36, any_positive."""
    started = steps.accepted(steps.try_start(ugc, duration=duration))

    assert started["effectiveDuration"] == rendered


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize("duration", [0, -1])
def test_duration_that_is_not_positive_is_refused(ugc: Account, duration: int) -> None:
    assert steps.try_start(ugc, duration=duration).status == 400


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize(("duration", "status"), [(3.9, 400), (4, 200), (20, 200), (20.1, 400)])
def test_duration_may_be_limited_to_what_the_client_sends(
    ugc: Account, duration: float, status: int
) -> None:
    """U36, client_range."""
    ugc.world.choose(ugc_copilot__duration_bounds="client_range")

    assert steps.try_start(ugc, duration=duration).status == status


_NULLS: dict[str, Json] = {
    "quality": None,
    "aspectRatio": None,
    "duration": None,
    "modelName": None,
}


@pytest.mark.clause("UG-013")
@pytest.mark.parametrize("name", _NULLS)
def test_null_for_an_optional_field_is_refused(ugc: Account, name: str) -> None:
    """U38, refused."""
    nothing: dict[str, Json] = {name: None}

    assert steps.try_start(ugc, **nothing).status == 400


@pytest.mark.clause("UG-013", "UG-020", "UG-025")
def test_null_for_an_optional_field_may_count_as_left_out(ugc: Account) -> None:
    """U38, as_absent; null for a field that is required is still refused."""
    ugc.world.choose(ugc_copilot__nulls="as_absent")
    scene = {"visualPrompt": "A blue mug", "scriptText": None}

    body = {"data": {"engine": "sora", **_NULLS, "scene": scene}}
    started = steps.accepted(ugc.client.post(steps.START, json=body))

    image = {**steps.BODIES[steps.IMAGE], "quality": None, "aspectRatio": None}
    assert started["effectiveDuration"] == 8
    assert started["assembledPrompt"] == "A blue mug"
    assert ugc.money == (982, 0, 18)
    assert ugc.client.post(steps.IMAGE, json=image).status == 200
    assert steps.try_start(ugc, scene={"visualPrompt": None}).status == 400


@pytest.mark.clause("UG-022", "UG-038")
def test_only_renders_may_deduct_credits(ugc: Account) -> None:
    """U34, renders_only: the page prices nothing else."""
    ugc.world.choose(ugc_copilot__function_prices="renders_only")

    for path in (steps.IMAGE, steps.SCRIPT, steps.PARSE, steps.TONE, steps.PRODUCTS):
        for _ in range(2):
            assert ugc.client.post(path, json=steps.BODIES[path]).status == 200
    steps.start(ugc)

    assert ugc.money == (982, 0, 18)


@pytest.mark.clause("UG-021")
def test_every_answer_is_checked_in_the_reading_that_wraps_it(ugc: Account) -> None:
    """U2, result: the shapes of the reading have the wrapping."""
    contract = load_contract("ugc_copilot", {"ugc_copilot.callable_envelope": "result"})
    started = contract.operations["proxyStartVideoGeneration"]
    direct = {"operation": {"name": "operations/" + "0" * 24}, "assembledPrompt": None}

    assert started.reply_violations(200, "application/json", {"result": direct}) == []
    assert started.reply_violations(200, "application/json", direct) != []


@pytest.mark.clause("UG-065")
def test_a_minute_is_named_in_the_refusal_of_a_suffix(ugc: Account) -> None:
    client = steps.with_key(ugc, f"{ugc.api_key}-rate-limited")

    message = client.post(steps.START, json=steps.body()).json()["error"]["message"]

    assert message == "At most 10 calls of video generation a minute. Try again in 60 seconds."
