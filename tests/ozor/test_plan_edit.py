"""Editing a plan: which states allow it, scenes as a whole, voice settings, and what comes back."""

from __future__ import annotations

import pytest
import yaml

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-186", "OZ-198")
def test_draft_can_be_edited_and_comes_back_whole(ozor: Account, plan_id: str) -> None:
    before = steps.plan(ozor, plan_id)

    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": steps.scenes(2)})

    assert answer.status == 200
    assert set(answer.json()) == {"plan"}
    assert set(answer.json()["plan"]) == set(before)
    assert answer.json()["plan"]["status"] == "draft"


@pytest.mark.clause("OZ-187")
def test_failed_plan_can_be_edited(ozor: Account) -> None:
    plan_id = steps.failed_plan(ozor)

    edited = steps.update_plan(ozor, plan_id, scenes=[steps.scene(voice="Once more.")])

    assert edited["scenes"][0]["voiceoverText"] == "Once more."


@pytest.mark.clause("OZ-188")
def test_plan_under_generation_cannot_be_edited(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    stream.next()

    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": steps.scenes(1)})
    scenes_after = len(steps.plan(ozor, plan_id)["scenes"])
    stream.leave()

    assert steps.refusal(answer) == (400, "state")
    assert scenes_after == 6


@pytest.mark.clause("OZ-189")
def test_generated_plan_cannot_be_edited(ozor: Account) -> None:
    plan_id = steps.finished_plan(ozor)["planId"]

    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": steps.scenes(1)})

    assert steps.refusal(answer) == (400, "state")
    assert len(steps.plan(ozor, plan_id)["scenes"]) == 2


@pytest.mark.clause("OZ-190")
def test_scenes_are_replaced_as_a_whole(ozor: Account, plan_id: str) -> None:
    new = [
        {**steps.scene(1, "First."), "sceneTitle": "Opening", "keyPoints": ["intro"]},
        {**steps.scene(2, "Second."), "sceneTitle": "Ending"},
    ]

    edited = steps.update_plan(ozor, plan_id, scenes=new)

    shown = [(s["order"], s["sceneTitle"], s["voiceoverText"]) for s in edited["scenes"]]
    assert shown == [(1, "Opening", "First."), (2, "Ending", "Second.")]
    assert edited["scenes"][0]["keyPoints"] == ["intro"]
    reread = steps.plan(ozor, plan_id)["scenes"]
    assert [s["sceneTitle"] for s in reread] == ["Opening", "Ending"]


@pytest.mark.clause("OZ-190", "OZ-200")
def test_scenes_can_be_dropped(ozor: Account, plan_id: str) -> None:
    kept = steps.plan(ozor, plan_id)["scenes"][:4]

    edited = steps.update_plan(ozor, plan_id, scenes=kept)

    assert [s["sceneTitle"] for s in edited["scenes"]] == [s["sceneTitle"] for s in kept]
    assert edited["creditsCost"] == 2


@pytest.mark.clause("OZ-190")
def test_scenes_can_be_reordered(ozor: Account, plan_id: str) -> None:
    turned = [
        {**scene, "order": number}
        for number, scene in enumerate(reversed(steps.plan(ozor, plan_id)["scenes"]), start=1)
    ]

    edited = steps.update_plan(ozor, plan_id, scenes=turned)

    assert [s["order"] for s in edited["scenes"]] == [1, 2, 3, 4, 5, 6]
    assert [s["voiceoverText"] for s in edited["scenes"]] == [s["voiceoverText"] for s in turned]


@pytest.mark.clause("OZ-190", "OZ-198")
def test_image_without_url_is_kept_by_its_storage_path(ozor: Account, plan_id: str) -> None:
    """The document's own edit sends images back with their path alone."""
    images = [image for s in steps.plan(ozor, plan_id)["scenes"] for image in s["imageRefs"]]
    path = images[0]["storagePath"]
    scene = {**steps.scene(), "imageRefs": [{"storagePath": path}], "keyPoints": []}

    (edited,) = steps.update_plan(ozor, plan_id, scenes=[scene])["scenes"]

    assert [image["storagePath"] for image in edited["imageRefs"]] == [path]
    assert edited["imageRefs"][0]["url"].startswith("http")


@pytest.mark.clause("OZ-191", "OZ-225")
@pytest.mark.parametrize("missing", ["order", "sceneTitle", "scenePrompt", "voiceoverText"])
def test_scene_needs_four_fields(ozor: Account, plan_id: str, missing: str) -> None:
    before = steps.plan(ozor, plan_id)
    scene = steps.scene(2)
    del scene[missing]

    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": [steps.scene(1), scene]})

    assert steps.refusal(answer) == (400, "validation")
    assert missing in answer.json()["detail"]
    after = steps.plan(ozor, plan_id)
    assert [s["sceneTitle"] for s in after["scenes"]] == [s["sceneTitle"] for s in before["scenes"]]


@pytest.mark.clause("OZ-191", "OZ-225")
@pytest.mark.parametrize(
    "wrong",
    [{"order": "first"}, {"sceneTitle": 1}, {"voiceoverText": None}, {"keyPoints": "intro"}],
    ids=["order", "title", "voice", "key points"],
)
def test_fields_of_a_scene_have_their_types(
    ozor: Account, plan_id: str, wrong: dict[str, Json]
) -> None:
    scene = {**steps.scene(), **wrong}

    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": [scene]})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-192")
@pytest.mark.parametrize("body", [{}, {"voiceSettings": {"voiceId": "nova"}}])
def test_edit_without_scenes_keeps_them(ozor: Account, plan_id: str, body: dict[str, Json]) -> None:
    before = steps.plan(ozor, plan_id)

    edited = steps.update_plan(ozor, plan_id, **body)

    assert [s["voiceoverText"] for s in edited["scenes"]] == [
        s["voiceoverText"] for s in before["scenes"]
    ]
    assert edited["creditsCost"] == before["creditsCost"]


@pytest.mark.clause("OZ-193", "OZ-155")
@pytest.mark.parametrize(
    "voice", ["aria", "nova", "felix", "marcus", "thor", "luna", "owen", "sky"]
)
def test_listed_voice_passes(ozor: Account, plan_id: str, voice: str) -> None:
    answer = ozor.client.patch(steps.plan_path(plan_id), json={"voiceSettings": {"voiceId": voice}})

    assert answer.status == 200


@pytest.mark.clause("OZ-193", "OZ-225")
@pytest.mark.parametrize("voice", ["alloy", "Nova", "", 1])
def test_other_voice_is_400(ozor: Account, plan_id: str, voice: Json) -> None:
    answer = ozor.client.patch(steps.plan_path(plan_id), json={"voiceSettings": {"voiceId": voice}})

    assert steps.refusal(answer) == (400, "validation")
    assert "voiceId" in answer.json()["detail"]


@pytest.mark.clause("OZ-194", "OZ-197")
@pytest.mark.parametrize("settings", [{}, {"speakingStyle": "calm"}, {"speakingRate": 1.5}])
def test_voice_and_rate_may_be_left_out(
    ozor: Account, plan_id: str, settings: dict[str, Json]
) -> None:
    """Without a voice the language picks one, so the plan can still be generated."""
    steps.update_plan(ozor, plan_id, voiceSettings=settings)

    assert steps.generate_plan(ozor, plan_id).events[-1]["step"] == "done"


@pytest.mark.clause("OZ-197")
def test_contract_names_the_rate_that_applies_by_default() -> None:
    """No answer ever shows the rate, so the test reads the contract."""
    text = (steps.SPEC / "openapi.yaml").read_text()

    rates = _properties_named(yaml.safe_load(text), "speakingRate")

    assert [(rate["default"], rate["minimum"], rate["maximum"]) for rate in rates] == [(1, 0.5, 2)]


def _properties_named(node: Json, name: str) -> list[Json]:
    """Every schema under a `properties` that has *name*, wherever it lies."""
    if steps.is_list(node):
        return [found for item in node for found in _properties_named(item, name)]
    if not steps.is_object(node):
        return []
    ctx = [node["properties"][name]] if name in node.get("properties", {}) else []
    return ctx + [found for item in node.values() for found in _properties_named(item, name)]


@pytest.mark.clause("OZ-195")
@pytest.mark.parametrize("style", ["formal", "energetic", "like a whisper, 🎙", ""])
def test_speaking_style_is_any_text(ozor: Account, plan_id: str, style: str) -> None:
    answer = ozor.client.patch(
        steps.plan_path(plan_id), json={"voiceSettings": {"speakingStyle": style}}
    )

    assert answer.status == 200


@pytest.mark.clause("OZ-196")
@pytest.mark.parametrize("rate", [0.5, 1, 1.0, 1.25, 2, 2.0])
def test_speaking_rate_of_half_to_double_passes(ozor: Account, plan_id: str, rate: float) -> None:
    answer = ozor.client.patch(
        steps.plan_path(plan_id), json={"voiceSettings": {"speakingRate": rate}}
    )

    assert answer.status == 200


@pytest.mark.clause("OZ-196", "OZ-225")
@pytest.mark.parametrize("rate", [0.49, 2.01, 0, -1, 100, "fast"])
def test_speaking_rate_outside_is_400(ozor: Account, plan_id: str, rate: Json) -> None:
    answer = ozor.client.patch(
        steps.plan_path(plan_id), json={"voiceSettings": {"speakingRate": rate}}
    )

    assert steps.refusal(answer) == (400, "validation")
    assert "speakingRate" in answer.json()["detail"]


@pytest.mark.clause("OZ-199")
def test_edit_of_an_unknown_plan_is_404_and_of_a_foreign_one_403(
    ozor: Account, neighbour: Account
) -> None:
    theirs = steps.analyze(neighbour)["planId"]

    unknown = ozor.client.patch(steps.plan_path(steps.NO_PLAN), json={})
    foreign = ozor.client.patch(steps.plan_path(theirs), json={"scenes": steps.scenes(1)})

    assert steps.refusal(unknown) == (404, "not_found")
    assert steps.refusal(foreign) == (403, "ownership")
    assert len(steps.plan(neighbour, theirs)["scenes"]) == 6


@pytest.mark.clause("OZ-200", "OZ-053", "OZ-045")
@pytest.mark.parametrize(
    ("voiced", "silent", "cost"), [(1, 0, 0), (5, 0, 2), (5, 3, 2), (8, 0, 4), (0, 4, 0)]
)
def test_cost_follows_the_edited_scenes(
    ozor: Account, plan_id: str, voiced: int, silent: int, cost: int
) -> None:
    edited = steps.update_plan(ozor, plan_id, scenes=steps.scenes(voiced, silent))

    assert edited["creditsCost"] == cost
    assert steps.plan(ozor, plan_id)["creditsCost"] == cost


@pytest.mark.clause("OZ-192", "OZ-198")
def test_editing_is_free(ozor: Account, plan_id: str) -> None:
    before = ozor.ledger()

    steps.update_plan(ozor, plan_id, scenes=steps.scenes(3))

    assert ozor.ledger() == before
