"""Where the document is silent: what the mock does, and the other reading where there is a switch.

Each test begins with the id of the point as the contract lists it: A1 to A17 here, the rest in
`test_interpretations_from_a18.py`.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps


def readings(world: MockWorld) -> Json:
    return steps.accepted(world.control.get(f"{world.path}/interpretations"))


def test_all_49_points_are_listed_with_their_reason(world: MockWorld) -> None:
    """A1 to A49."""
    listed = [item for name, item in readings(world).items() if name.startswith("ozor.")]

    assert {item["id"] for item in listed} == {f"A{number}" for number in range(1, 50)}
    assert all(item["value"] == item["default"] and item["reason"] for item in listed)


def test_unknown_reading_is_refused_with_the_known_ones(world: MockWorld) -> None:
    """A2, as an example of a slip."""
    answer = world.control.patch(
        f"{world.path}/interpretations", json={"ozor.credit_hold": "reserved"}
    )

    assert answer.status == 422
    assert "check_only" in answer.text
    assert readings(world)["ozor.credit_hold"]["value"] == "reserve"


def test_reading_of_one_world_is_not_that_of_another(
    world: MockWorld, other_world: MockWorld
) -> None:
    """A2, as an example of a switch."""
    world.choose(ozor__credit_hold="check_only")

    values = [readings(each)["ozor.credit_hold"]["value"] for each in (world, other_world)]

    assert values == ["check_only", "reserve"]


@pytest.mark.clause("OZ-057", "OZ-140")
def test_pending_is_said_by_generate_alone(ozor: Account) -> None:
    """A1: the job that generate calls pending reads as queued."""
    submitted = steps.generate(ozor)

    polled = {job["status"] for job in steps.poll_job(ozor, submitted)}

    assert submitted["status"] == "pending"
    assert polled == {"queued", "processing", "completed"}


@pytest.mark.clause("OZ-038", "OZ-047")
def test_price_is_held_while_the_job_runs(ozor: Account) -> None:
    """A2, reserve: what was accepted can be paid."""
    ozor.set_credits(1)
    steps.generate(ozor)

    second = ozor.client.post(steps.GENERATE, json={"prompt": "Another"})

    assert steps.refusal(second) == (402, "credits")


@pytest.mark.clause("OZ-038", "OZ-047")
def test_price_may_be_checked_only(ozor: Account) -> None:
    """A2, check_only: both are accepted, and the second takes what is left, never below 0."""
    ozor.world.choose(ozor__credit_hold="check_only")
    ozor.set_credits(1)
    both = [steps.generate(ozor), steps.generate(ozor)]
    at_submission = ozor.money[:2]

    ended = {steps.finish_job(ozor, submitted)["status"] for submitted in both}

    assert at_submission == (1, 0)
    assert ended == {"completed"}
    assert ozor.money[:2] == (0, 0)


@pytest.mark.clause("OZ-044", "OZ-182")
@pytest.mark.parametrize(("reading", "left"), [("give_back", 10), ("keep", 9)])
def test_credit_of_a_failed_analysis(ozor: Account, reading: str, left: int) -> None:
    """A3: given back unless the world says to keep it."""
    ozor.world.choose(ozor__analyze_failure=reading)
    form = {"file": steps.pdf(), "prompt": "[[screentest:fail]]"}

    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert answer.status == 500
    assert ozor.money[0] == left


@pytest.mark.clause("OZ-044")
@pytest.mark.parametrize("reading", ["give_back", "keep"])
def test_refused_analysis_never_touches_the_balance(ozor: Account, reading: str) -> None:
    """A3: a 400 is not a failure."""
    ozor.world.choose(ozor__analyze_failure=reading)

    ozor.client.post(steps.ANALYZE, form={"file": steps.pdf(), "aspect_ratio": "1:1"})

    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-169")
def test_analysis_is_200_and_not_201(ozor: Account) -> None:
    """A4."""
    assert ozor.client.post(steps.ANALYZE, form={"file": steps.pdf()}).status == 200


@pytest.mark.clause("OZ-179")
def test_formula_wins_over_the_example(ozor: Account, plan_id: str) -> None:
    """A5: one scene costs 0, although the example shows one scene and a cost of 3."""
    assert steps.update_plan(ozor, plan_id, scenes=[steps.scene()])["creditsCost"] == 0


@pytest.mark.clause("OZ-200")
def test_cost_is_computed_again_after_an_edit(ozor: Account, plan_id: str) -> None:
    """A6."""
    costs = [
        steps.update_plan(ozor, plan_id, scenes=steps.scenes(voiced))["creditsCost"]
        for voiced in (4, 9, 2)
    ]

    assert costs == [2, 4, 1]


@pytest.mark.clause("OZ-045", "OZ-179")
@pytest.mark.parametrize(("voice", "cost"), [("", 1), ("   ", 1), ("\n\t", 1), (".", 2)])
def test_scene_counts_when_something_is_said(
    ozor: Account, plan_id: str, voice: str, cost: int
) -> None:
    """A7: white space is not narration."""
    scenes = [*steps.scenes(3), steps.scene(4, voice)]

    assert steps.update_plan(ozor, plan_id, scenes=scenes)["creditsCost"] == cost


@pytest.mark.clause("OZ-053", "OZ-203")
@pytest.mark.parametrize("voiced", [0, 1])
def test_plan_that_costs_nothing_needs_no_balance(ozor: Account, voiced: int) -> None:
    """A8."""
    plan_id = steps.plan_with(ozor, voiced, silent=1)
    ozor.set_credits(0)

    assert steps.generate_plan(ozor, plan_id).events[-1]["step"] == "done"
    assert ozor.money[:2] == (0, 0)


@pytest.mark.clause("OZ-033", "OZ-091", "OZ-144")
def test_foreign_is_403_unknown_404_and_misplaced_404(ozor: Account, neighbour: Account) -> None:
    """A9."""
    theirs, mine, other = steps.generate(neighbour), steps.generate(ozor), steps.generate(ozor)

    statuses = [
        ozor.client.get(f"{steps.VIDEOS}/{theirs['videoId']}").status,
        ozor.client.get(f"{steps.VIDEOS}/{steps.NO_VIDEO}").status,
        ozor.client.get(steps.job_path({**mine, "jobId": other["jobId"]})).status,
    ]

    assert statuses == [403, 404, 404]


@pytest.mark.clause("OZ-031", "OZ-225")
def test_key_is_judged_before_the_body(ozor: Account) -> None:
    """A10."""
    answer = ozor.world.anonymous("ozor").post(steps.GENERATE, raw=b"{")

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("OZ-225", "OZ-091", "OZ-092")
def test_body_is_judged_before_existence_and_ownership(ozor: Account, neighbour: Account) -> None:
    """A10."""
    theirs = steps.generate(neighbour)["videoId"]

    reasons = [
        steps.refusal(ozor.client.post(f"{steps.VIDEOS}/{id}/message", json={}))
        for id in (steps.NO_VIDEO, theirs)
    ]

    assert reasons == [(400, "validation")] * 2


@pytest.mark.clause("OZ-091", "OZ-092", "OZ-047")
def test_existence_and_ownership_are_judged_before_money(ozor: Account, neighbour: Account) -> None:
    """A10."""
    theirs = steps.generate(neighbour)["videoId"]
    ozor.set_credits(0)

    reasons = [
        steps.refusal(ozor.client.post(f"{steps.VIDEOS}/{id}/message", json={"message": "Hi"}))
        for id in (steps.NO_VIDEO, theirs)
    ]

    assert reasons == [(404, "not_found"), (403, "ownership")]


@pytest.mark.clause("OZ-202", "OZ-215", "OZ-203")
def test_ownership_is_judged_before_state_and_state_before_money(
    ozor: Account, neighbour: Account
) -> None:
    """A10."""
    finished = steps.finished_plan(ozor)["planId"]
    ozor.set_credits(0)

    own, foreign = steps.generate_plan(ozor, finished), steps.generate_plan(neighbour, finished)

    assert steps.refusal(own) == (400, "state")
    assert steps.refusal(foreign) == (403, "ownership")


@pytest.mark.clause("OZ-225")
def test_validation_is_400_with_a_text(ozor: Account) -> None:
    """A11, string_400."""
    answer = ozor.client.post(steps.GENERATE, json={})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-225")
def test_validation_may_be_the_422_of_the_framework(ozor: Account) -> None:
    """A11, fastapi_422: a list of what is wrong and where."""
    ozor.world.choose(ozor__validation_status="fastapi_422")

    in_body = ozor.client.post(steps.GENERATE, json={})
    in_query = ozor.client.get(steps.VIDEOS, query={"limit": 0})

    assert (in_body.status, in_query.status) == (422, 422)
    (missing,), (below,) = in_body.json()["detail"], in_query.json()["detail"]
    assert missing["loc"] == ["body", "prompt"]
    assert missing["type"] == "missing"
    assert below["loc"] == ["query", "limit"]
    assert {"type", "loc", "msg"} <= set(missing) & set(below)


@pytest.mark.clause("OZ-081", "OZ-082")
@pytest.mark.parametrize("limit", ["0", "101", "many", "1.5", "", " ", "1e1", "0x10", "null"])
def test_limit_out_of_range_or_no_integer_is_400(ozor: Account, limit: str) -> None:
    """A12."""
    answer = ozor.client.get(steps.VIDEOS, query={"limit": limit})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-055", "OZ-129", "OZ-097", "OZ-018", "OZ-198")
def test_unknown_fields_are_ignored(ozor: Account, video_id: str, plan_id: str) -> None:
    """A13."""
    more = {"seed": 7, "webhookUrl": "https://example.com/"}

    answers = [
        ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", **more}),
        ozor.client.post(f"{steps.VIDEOS}/{video_id}/message", json={"message": "Hi", **more}),
        ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json=more),
        ozor.client.patch(steps.plan_path(plan_id), json=more),
        ozor.client.get(steps.VIDEOS, query=more),
        steps.firebase(ozor).post(steps.KEYS, json={"name": "Production", **more}),
        ozor.client.post(steps.ANALYZE, form={"file": steps.pdf(), "voice": "nova"}),
    ]

    assert [answer.status for answer in answers] == [200] * 7


@pytest.mark.clause("OZ-123", "OZ-066")
def test_export_before_the_agent_has_finished_is_500(ozor: Account) -> None:
    """A14, refuse_500: there are no scenes yet. Afterwards it works."""
    submitted = steps.generate(ozor)
    path = f"{steps.VIDEOS}/{submitted['videoId']}/export"

    early = ozor.client.post(path, json={})
    steps.finish_job(ozor, submitted)
    late = ozor.client.post(path, json={})

    assert early.status == 500
    assert "could not" in early.json()["detail"]
    assert late.status == 200


@pytest.mark.clause("OZ-123")
def test_export_before_the_agent_has_finished_may_be_queued(ozor: Account) -> None:
    """A14, queue."""
    ozor.world.choose(ozor__export_before_agent="queue")
    submitted = steps.generate(ozor)

    early = steps.export(ozor, submitted["videoId"])

    assert early["exportStatus"] == "queued"
    assert steps.finish_export(ozor, submitted["videoId"])["exportStatus"] == "complete"


@pytest.mark.clause("OZ-109")
def test_private_export_has_null_for_its_share(ozor: Account, video_id: str) -> None:
    """A15, null."""
    done = steps.exported(ozor, video_id, isPublic=False)

    assert set(done) == steps.VIDEO_FIELDS | steps.EXPORT_FIELDS
    assert (done["shareUrl"], done["shareCode"]) == (None, None)


@pytest.mark.clause("OZ-109")
def test_private_export_may_lack_its_share(ozor: Account, video_id: str) -> None:
    """A15, absent."""
    ozor.world.choose(ozor__private_share_fields="absent")

    done = steps.exported(ozor, video_id, isPublic=False)

    assert set(done) == (steps.VIDEO_FIELDS | steps.EXPORT_FIELDS) - {"shareUrl", "shareCode"}


@pytest.mark.clause("OZ-117")
def test_cached_export_keeps_its_id(ozor: Account, video_id: str) -> None:
    """A16."""
    done = steps.exported(ozor, video_id)

    assert steps.export(ozor, video_id)["exportId"] == done["exportId"]


@pytest.mark.clause("OZ-117", "OZ-118", "OZ-119", "OZ-120")
def test_cache_is_by_content_quality_and_visibility(ozor: Account, video_id: str) -> None:
    """A17."""
    made = [
        steps.exported(ozor, video_id, quality=quality, isPublic=is_public)["exportId"]
        for quality in ("720p", "1080p")
        for is_public in (True, False)
    ]
    steps.edit(ozor, video_id)
    made.append(steps.exported(ozor, video_id, quality="720p", isPublic=True)["exportId"])

    assert len(set(made)) == 5
