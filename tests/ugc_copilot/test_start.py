"""Starting a render: what a body may say, and what comes back."""

from __future__ import annotations

import base64

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps

FLAT = {"engine": "sora", "visualPrompt": "A mug in the light"}


def flat(**fields: Json) -> dict[str, Json]:
    return {**FLAT, **fields}


@pytest.mark.clause("UG-007", "UG-019", "UG-020", "UG-021", "UG-082")
def test_documented_body_begins_a_render(ugc: Account) -> None:
    body = {
        "data": {
            "engine": "sora",
            "quality": "standard",
            "duration": 8,
            "aspectRatio": "9:16",
            "scene": {"visualPrompt": "A mug.", "scriptText": "That blue."},
        }
    }

    started = steps.accepted(ugc.client.post(steps.START, json=body))

    name = started["operation"].pop("name")
    assert name.startswith("operations/")
    assert started == {
        "operation": {},
        "assembledPrompt": 'A mug. Spoken: "That blue."',
        "requestedDuration": 8,
        "effectiveDuration": 8,
    }


@pytest.mark.clause("UG-081", "UG-082")
def test_flat_body_of_the_vendors_client_begins_a_render(ugc: Account) -> None:
    body = flat(modelName="sora-2", duration=8, isFaceless=False, projectMode="product-ad")

    started = steps.accepted(ugc.client.post(steps.START, json=body))

    assert started["assembledPrompt"] == "A mug in the light"
    assert steps.check(ugc, started["operation"]["name"])["done"] is False


@pytest.mark.clause("UG-007", "UG-081")
def test_data_is_the_body_wherever_it_is_an_object(ugc: Account) -> None:
    """U1: fields beside it do not count."""
    body = {**steps.body("veo"), **flat(engine="pika", visualPrompt="")}

    started = steps.accepted(ugc.client.post(steps.START, json=body))

    assert steps.check(ugc, started["operation"]["name"], "veo")["done"] is False


@pytest.mark.clause("UG-081")
def test_texts_of_the_scene_may_be_nested_in_a_flat_body(ugc: Account) -> None:
    answer = ugc.client.post(steps.START, json={"engine": "sora", "scene": {"visualPrompt": "A"}})

    assert steps.accepted(answer)["assembledPrompt"] == "A"


@pytest.mark.clause("UG-008", "UG-009", "UG-010", "UG-011")
@pytest.mark.parametrize("engine", ["sora", "veo", "kling", "seedance"])
def test_four_engines_render(ugc: Account, engine: str) -> None:
    operation = steps.start(ugc, engine)

    assert steps.finish(ugc, operation, engine)["done"] is True


@pytest.mark.clause("UG-012", "UG-013", "UG-014", "UG-018", "UG-080")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "pika"),
        ("engine", "Sora"),
        ("engine", None),
        ("quality", "high"),
        ("quality", "ultra"),
        ("duration", "8"),
        ("duration", 0),
        ("duration", -4),
        ("duration", True),
        ("aspectRatio", "4:5"),
        ("aspectRatio", "9x16"),
        ("projectMode", "creator-intimate"),
        ("isFaceless", "yes"),
        ("modelName", "sora-3"),
        ("modelName", "veo-3.1-generate-preview"),
        ("sceneImage", {"data": "not base64!", "mimeType": "image/png"}),
        ("sceneImage", {"data": "iVBORw=="}),
        ("twinContext", {"masterIdentityPrompt": "x" * 2001}),
    ],
)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_value_that_does_not_fit_is_refused_and_costs_nothing(
    ugc: Account, field: str, value: Json, *, is_wrapped: bool
) -> None:
    body = {"data": flat(**{field: value})} if is_wrapped else flat(**{field: value})

    answer = ugc.client.post(steps.START, json=body)

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert field in answer.json()["error"]["field"].split(".")
    assert answer.json()["error"]["field"].startswith("data.") is is_wrapped
    assert ugc.money == (1_000, 0, 0)
    assert steps.job_count(ugc.world) == 0


@pytest.mark.clause("UG-007", "UG-080")
@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'"data"', b"{}", b'{"data": {}}', b'{"data": []}']
)
def test_body_other_than_a_request_is_refused(ugc: Account, raw: bytes) -> None:
    answer = ugc.client.post(steps.START, raw=raw, headers={"Content-Type": "application/json"})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-007")
def test_form_is_refused(ugc: Account) -> None:
    answer = ugc.client.post(steps.START, form={"engine": "sora"})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.clause("UG-019")
@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"engine": "sora"}, "data.visualPrompt"),
        ({"engine": "sora", "scene": {}}, "data.scene.visualPrompt"),
        ({"engine": "sora", "scene": {"visualPrompt": ""}}, "data.scene.visualPrompt"),
        ({"engine": "sora", "scene": "A mug"}, "data.scene"),
    ],
)
def test_visual_prompt_is_required(ugc: Account, data: Json, field: str) -> None:
    answer = ugc.client.post(steps.START, json={"data": data})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert answer.json()["error"]["field"] == field


@pytest.mark.clause("UG-020")
def test_script_text_may_be_missing(ugc: Account) -> None:
    answer = steps.try_start(ugc, scene={"visualPrompt": "A mug."})

    assert steps.accepted(answer)["assembledPrompt"] == "A mug."


@pytest.mark.clause("UG-015", "UG-016", "UG-017")
@pytest.mark.parametrize("aspect", ["9:16", "16:9", "1:1"])
def test_three_aspect_ratios_pass(ugc: Account, aspect: str) -> None:
    assert steps.try_start(ugc, aspectRatio=aspect).status == 200


@pytest.mark.clause("UG-013", "UG-081")
@pytest.mark.parametrize(
    ("engine", "model", "cost"),
    [
        ("sora", "sora-2", 18),
        ("sora", "sora-2-pro", 65),
        ("veo", "veo-3.1-fast-generate-preview", 40),
        ("veo", "veo-3.1-generate-preview", 130),
        ("kling", "fal-ai/kling-video/v3/standard/image-to-video", 25),
        ("kling", "fal-ai/kling-video/o3/standard/image-to-video", 25),
        ("kling", "fal-ai/kling-video/v3/pro/image-to-video", 50),
        ("seedance", "bytedance/seedance-2.0/fast/text-to-video", 18),
        ("seedance", "bytedance/seedance-2.0/text-to-video", 35),
    ],
)
def test_quality_follows_from_the_model(ugc: Account, engine: str, model: str, cost: int) -> None:
    ugc.client.post(steps.START, json=flat(engine=engine, modelName=model))

    assert ugc.money == (1_000 - cost, 0, cost)


@pytest.mark.clause("UG-013")
def test_quality_that_contradicts_the_model_is_refused(ugc: Account) -> None:
    answer = ugc.client.post(steps.START, json=flat(modelName="sora-2-pro", quality="standard"))

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert answer.json()["error"]["field"] == "quality"


@pytest.mark.clause("UG-081")
def test_scene_picture_comes_in_base64(ugc: Account) -> None:
    picture = base64.b64encode(bytes(300)).decode()

    answer = ugc.client.post(
        steps.START, json=flat(sceneImage={"data": picture, "mimeType": "image/png"})
    )

    assert answer.status == 200


@pytest.mark.clause("UG-021")
def test_render_proceeds_without_polls(ugc: Account) -> None:
    operation = steps.start(ugc)

    ugc.world.advance(steps.LONGEST_MS)

    assert steps.check(ugc, operation)["done"] is True


@pytest.mark.clause("UG-080")
def test_refused_content_costs_nothing(ugc: Account) -> None:
    answer = steps.try_start(ugc, scene={"visualPrompt": "[[screentest:reject=no brands]]"})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert answer.json()["error"]["message"] == "no brands"
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-021", "UG-082")
def test_names_are_drawn_from_the_seed_and_differ(ugc: Account) -> None:
    """The world of the tests has seed 7."""
    names = [steps.start(ugc), steps.start(ugc)]

    assert names[0] != names[1]
    assert names[0] == "operations/s4nshb8m3zr3ng27pl5y32gm"
