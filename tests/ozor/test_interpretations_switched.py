"""The other readings of points whose default is tested beside: what each switch changes.

Each test begins with the id of the point as the contract lists it.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-057", "OZ-140")
def test_pending_may_last_until_the_agent_begins(ozor: Account) -> None:
    """A1, until_picked_up: a job from a message still reads `queued`."""
    ozor.world.choose(ozor__pending_status="until_picked_up")
    submitted = steps.generate(ozor)

    generated = {job["status"] for job in steps.poll_job(ozor, submitted)}
    edited = {
        job["status"]
        for job in steps.poll_job(ozor, steps.send_message(ozor, submitted["videoId"]))
    }

    assert generated == {"pending", "processing", "completed"}
    assert edited == {"queued", "processing", "completed"}


@pytest.mark.clause("OZ-200")
def test_cost_may_stay_what_the_analysis_said(ozor: Account, plan_id: str) -> None:
    """A6, keep: the edited plan shows 3 and takes 1."""
    ozor.world.choose(ozor__credits_cost_after_patch="keep")

    shown = steps.update_plan(ozor, plan_id, scenes=steps.scenes(2))["creditsCost"]
    steps.generate_plan(ozor, plan_id)

    assert shown == 3
    assert ozor.money == (8, 0, 2)


@pytest.mark.clause("OZ-045", "OZ-179")
@pytest.mark.parametrize(("voice", "cost"), [("", 1), ("   ", 2)])
def test_white_space_may_count_as_narration(
    ozor: Account, plan_id: str, voice: str, cost: int
) -> None:
    """A7, not_empty."""
    ozor.world.choose(ozor__voiceover_scene="not_empty")
    scenes = [*steps.scenes(3), steps.scene(4, voice)]

    assert steps.update_plan(ozor, plan_id, scenes=scenes)["creditsCost"] == cost


@pytest.mark.clause("OZ-053", "OZ-203")
def test_plan_that_costs_nothing_may_need_a_credit(ozor: Account) -> None:
    """A8, needs_a_credit: one is enough, and is not taken."""
    ozor.world.choose(ozor__free_plan="needs_a_credit")
    plan_id = steps.plan_with(ozor, 1)
    ozor.set_credits(0)

    refused = steps.generate_plan(ozor, plan_id)
    ozor.set_credits(1)
    accepted = steps.generate_plan(ozor, plan_id)

    assert steps.refusal(refused) == (402, "credits")
    assert accepted.events[-1]["step"] == "done"
    assert ozor.money[0] == 1


@pytest.mark.clause("OZ-117", "OZ-113")
def test_cached_export_may_have_an_id_of_its_own(ozor: Account, video_id: str) -> None:
    """A16, new_id: complete at once, with the share of the first, and its file opens."""
    ozor.world.choose(ozor__cached_export_id="new_id")
    done = steps.exported(ozor, video_id)

    again = steps.export(ozor, video_id)
    shown = steps.video(ozor, video_id)

    assert again["exportId"] != done["exportId"]
    assert again["exportStatus"] == shown["exportStatus"] == "complete"
    assert shown["exportId"] == again["exportId"]
    assert shown["shareCode"] == done["shareCode"]
    assert ozor.client.follow(shown["downloadUrl"]).content[4:8] == b"ftyp"


@pytest.mark.clause("OZ-033", "OZ-091", "OZ-092")
def test_foreign_may_be_hidden(ozor: Account, neighbour: Account) -> None:
    """A9, 404: in the very words for what does not exist."""
    ozor.world.choose(ozor__foreign_resource="404")
    theirs = steps.generate(neighbour)["videoId"]

    foreign = ozor.client.get(f"{steps.VIDEOS}/{theirs}")
    unknown = ozor.client.get(f"{steps.VIDEOS}/{steps.NO_VIDEO}")

    assert steps.refusal(foreign) == (404, "not_found")
    assert foreign.text.replace(theirs, "") == unknown.text.replace(steps.NO_VIDEO, "")


@pytest.mark.clause("OZ-091", "OZ-092", "OZ-225")
def test_existence_may_be_judged_before_the_body(ozor: Account, neighbour: Account) -> None:
    """A10, existence_first."""
    ozor.world.choose(ozor__refusal_order="existence_first")
    theirs = steps.generate(neighbour)["videoId"]

    reasons = [
        steps.refusal(ozor.client.post(f"{steps.VIDEOS}/{id}/message", json={}))
        for id in (steps.NO_VIDEO, theirs)
    ]

    assert reasons == [(404, "not_found"), (403, "ownership")]


@pytest.mark.clause("OZ-202", "OZ-203")
def test_money_may_be_judged_before_the_state(ozor: Account) -> None:
    """A10, credits_before_state."""
    ozor.world.choose(ozor__refusal_order="credits_before_state")
    finished = steps.finished_plan(ozor)["planId"]
    ozor.set_credits(0)

    assert steps.refusal(steps.generate_plan(ozor, finished)) == (402, "credits")


@pytest.mark.clause("OZ-081", "OZ-082")
def test_limit_out_of_range_may_be_the_422_of_the_framework(ozor: Account) -> None:
    """A12, 422: an invalid body is still answered 400."""
    ozor.world.choose(ozor__limit_out_of_range="422")

    in_query = ozor.client.get(steps.VIDEOS, query={"limit": 101})
    in_body = ozor.client.post(steps.GENERATE, json={})

    assert in_query.status == 422
    assert in_query.json()["detail"][0]["loc"] == ["query", "limit"]
    assert steps.refusal(in_body) == (400, "validation")


@pytest.mark.clause("OZ-055", "OZ-158")
def test_unknown_fields_may_be_refused(ozor: Account) -> None:
    """A13, refuse: in JSON and in forms, by name; nothing is begun or taken."""
    ozor.world.choose(ozor__unknown_fields="refuse")

    answers = [
        ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", "seed": 7}),
        ozor.client.post(steps.ANALYZE, form={"file": steps.pdf(), "seed": "7"}),
    ]
    known = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp"})

    assert [steps.refusal(answer) for answer in answers] == [(400, "validation")] * 2
    assert {answer.json()["detail"] for answer in answers} == {
        "seed: expected no such field, got a value"
    }
    assert known.status == 200
    assert ozor.money == (9, 1, 0)


@pytest.mark.clause("OZ-216", "OZ-211")
def test_generation_may_end_with_its_stream(ozor: Account, plan_id: str) -> None:
    """A21, fails: the plan can be tried again, and nothing was taken."""
    ozor.world.choose(ozor__stream_abandoned="fails")
    stream = steps.open_stream(ozor, plan_id)
    stream.next()
    stream.leave()

    plan = steps.plan(ozor, plan_id)

    assert (plan["status"], plan["error"]) == ("failed", "the client left the stream")
    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-213")
def test_stream_read_to_its_end_does_not_fail_the_generation(ozor: Account, plan_id: str) -> None:
    """A21, fails: only who leaves early ends it."""
    ozor.world.choose(ozor__stream_abandoned="fails")

    assert steps.generate_plan(ozor, plan_id).events[-1]["step"] == "done"
    assert steps.plan(ozor, plan_id)["status"] == "generated"


@pytest.mark.clause("OZ-190")
def test_plan_may_be_left_without_scenes(ozor: Account, plan_id: str) -> None:
    """A22, accept: it costs nothing and is generated all the same."""
    ozor.world.choose(ozor__empty_scenes="accept")

    edited = steps.update_plan(ozor, plan_id, scenes=[])

    assert (edited["scenes"], edited["creditsCost"]) == ([], 0)
    assert steps.plan(ozor, plan_id)["scenes"] == []
    assert steps.generate_plan(ozor, plan_id).events[-1]["step"] == "done"


@pytest.mark.clause("OZ-193", "OZ-196")
@pytest.mark.parametrize("settings", [{"voiceId": "alloy"}, {"speakingRate": 2.5}])
def test_voice_settings_may_go_unchecked(ozor: Account, plan_id: str, settings: Json) -> None:
    """A23, unchecked: a wrong type is still refused."""
    ozor.world.choose(ozor__voice_settings_checked="unchecked")
    path = steps.plan_path(plan_id)

    statuses = [
        ozor.client.patch(path, json={"voiceSettings": each}).status
        for each in (settings, {"voiceId": 7}, {"speakingRate": "fast"})
    ]

    assert statuses == [200, 400, 400]


@pytest.mark.clause("OZ-198")
def test_voice_settings_may_be_shown(ozor: Account, plan_id: str) -> None:
    """A24, shown: what was set, and nothing before."""
    ozor.world.choose(ozor__voice_settings_shown="shown")
    before = steps.plan(ozor, plan_id)

    edited = steps.update_plan(ozor, plan_id, voiceSettings={"voiceId": "nova"})

    assert "voiceSettings" not in before
    assert edited["voiceSettings"] == {"voiceId": "nova"}
    assert steps.plan(ozor, plan_id)["voiceSettings"] == {"voiceId": "nova"}


@pytest.mark.clause("OZ-187")
def test_edit_may_make_a_failed_plan_a_draft_again(ozor: Account) -> None:
    """A25, to_draft: and a second failure is a failure again."""
    ozor.world.choose(ozor__patch_of_failed_plan="to_draft")
    plan_id = steps.failed_plan(ozor)

    edited = steps.update_plan(ozor, plan_id, scenes=steps.scenes(2))
    steps.fail_next(ozor.world, "generatePlan", "TTS failed")
    steps.generate_plan(ozor, plan_id)

    assert (edited["status"], edited["error"]) == ("draft", None)
    assert steps.plan(ozor, plan_id)["status"] == "failed"


@pytest.mark.clause("OZ-007", "OZ-009")
def test_revoked_keys_may_count(ozor: Account) -> None:
    """A27, ever_made: the account began with one key, so four more can be made."""
    ozor.world.choose(ozor__key_limit_counts="ever_made")

    statuses: list[int] = []
    for number in range(5):
        made = steps.firebase(ozor).post(steps.KEYS, json={"name": f"key {number}"})
        statuses.append(made.status)
        if made.status == 200:
            steps.revoke_key(ozor, made.json()["keyId"])

    assert statuses == [200, 200, 200, 200, 400]


@pytest.mark.clause("OZ-161", "OZ-162")
def test_declared_type_alone_may_decide(ozor: Account) -> None:
    """A30, refuse."""
    ozor.world.choose(ozor__octet_stream_upload="refuse")

    unsure = ozor.client.post(
        steps.ANALYZE, form={"file": steps.pdf("deck.pdf", "application/octet-stream")}
    )

    assert steps.refusal(unsure) == (400, "validation")
    assert ozor.client.post(steps.ANALYZE, form={"file": steps.pdf()}).status == 200


@pytest.mark.clause("OZ-135")
def test_message_may_be_refused_while_the_agent_works(ozor: Account, video_id: str) -> None:
    """A32, refuse_400: the next is taken once it has finished."""
    ozor.world.choose(ozor__parallel_messages="refuse_400")
    path, body = f"{steps.VIDEOS}/{video_id}/message", {"message": "Blue"}
    first = steps.send_message(ozor, video_id)

    early = ozor.client.post(path, json=body)
    steps.finish_job(ozor, first)
    late = ozor.client.post(path, json=body)

    assert steps.refusal(early) == (400, "validation")
    assert "still working" in early.json()["detail"]
    assert late.status == 200


@pytest.mark.clause("OZ-048", "OZ-054")
def test_shortfall_may_be_an_object(ozor: Account, plan_id: str) -> None:
    """A36, object."""
    ozor.world.choose(ozor__shortfall_detail="object")
    ozor.set_credits(2)

    answer = steps.generate_plan(ozor, plan_id)

    assert answer.status == 402
    assert {name: answer.json()["detail"][name] for name in ("required", "available")} == {
        "required": 3,
        "available": 2,
    }


@pytest.mark.clause("OZ-224", "OZ-225")
def test_detail_of_invalid_input_may_be_a_list(ozor: Account) -> None:
    """A48, list."""
    ozor.world.choose(ozor__invalid_detail="list")

    answer = ozor.client.post(f"{steps.VIDEOS}/generate", json={"prompt": ""})

    assert answer.status == 400
    assert answer.json()["detail"] == [
        {
            "loc": ["body"],
            "msg": "prompt: expected at least 1 character, got 0",
            "type": "value_error",
        }
    ]


@pytest.mark.clause("OZ-165", "OZ-166")
def test_a_scene_may_last_ten_seconds(ozor: Account) -> None:
    """A49, 10_seconds."""
    ozor.world.choose(ozor__scene_length="10_seconds")

    plan = steps.analyze(ozor)

    assert len(plan["scenes"]) == 3


@pytest.mark.parametrize(
    ("reading", "lives_s"), [("15_minutes", 900), ("1_hour", 3_600), ("1_day", 86_400)]
)
@pytest.mark.clause("OZ-184")
def test_image_url_works_as_long_as_its_reading_says(
    ozor: Account, plan_id: str, reading: str, lives_s: int
) -> None:
    """A46."""
    ozor.world.choose(ozor__image_url_life=reading)
    url = steps.plan(ozor, plan_id)["scenes"][0]["imageRefs"][0]["url"]

    ozor.world.advance((lives_s - 1) * 1_000)
    before = ozor.client.follow(url).status
    ozor.world.advance(2_000)
    after = ozor.client.follow(url).status

    assert (before, after) == (200, 403)
