"""Generating a plan: the event stream, its refusals, failure and retry, and the new project."""

from __future__ import annotations

import re

import pytest

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-201", "OZ-204")
def test_draft_is_generated_as_an_event_stream(ozor: Account, plan_id: str) -> None:
    answer = steps.generate_plan(ozor, plan_id)

    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    assert answer.events[-1]["step"] == "done"


@pytest.mark.clause("OZ-204")
def test_stream_asks_proxies_to_pass_it_through(ozor: Account, plan_id: str) -> None:
    answer = steps.generate_plan(ozor, plan_id)

    assert "no-cache" in answer.headers["cache-control"]
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers


@pytest.mark.clause("OZ-205")
def test_event_is_a_data_line_of_json(ozor: Account, plan_id: str) -> None:
    text = steps.generate_plan(ozor, plan_id).text

    assert text.endswith("\n\n")
    assert re.fullmatch(r'(data: \{"step": ?"[^\n]+\}\n\n)+', text)


@pytest.mark.clause("OZ-205", "OZ-208")
def test_events_have_step_detail_and_pct(ozor: Account, plan_id: str) -> None:
    events = steps.generate_plan(ozor, plan_id).events

    assert [set(event) for event in events[:-1]] == [{"step", "detail", "pct"}] * (len(events) - 1)
    assert set(events[-1]) == {"step", "detail", "pct", "projectId"}
    for event in events:
        assert isinstance(event["detail"], str)
        assert isinstance(event["pct"], int)


@pytest.mark.clause("OZ-206")
@pytest.mark.parametrize("voiced", [1, 2, 6, 13])
def test_pct_rises_from_0_to_100(ozor: Account, voiced: int) -> None:
    plan_id = steps.plan_with(ozor, voiced)

    percents = [event["pct"] for event in steps.generate_plan(ozor, plan_id).events]

    assert (percents[0], percents[-1]) == (0, 100)
    assert percents == sorted(percents)


@pytest.mark.clause("OZ-207")
@pytest.mark.parametrize("voiced", [1, 6])
def test_steps_come_in_their_order(ozor: Account, voiced: int) -> None:
    plan_id = steps.plan_with(ozor, voiced)

    seen = [event["step"] for event in steps.generate_plan(ozor, plan_id).events]

    assert list(dict.fromkeys(seen)) == ["init", "tts", "scenes", "assembly", "done"]
    assert seen == sorted(seen, key=["init", "tts", "scenes", "assembly", "done"].index)


@pytest.mark.clause("OZ-207")
def test_every_scene_is_spoken_and_rendered_in_turn(ozor: Account, plan_id: str) -> None:
    events = steps.generate_plan(ozor, plan_id).events

    spoken = [event["detail"] for event in events if event["step"] == "tts"]
    rendered = [event["detail"] for event in events if event["step"] == "scenes"]

    assert spoken == [f"Generating voiceover {n}/6" for n in range(1, 7)]
    assert rendered == [f"Rendering scene {n}/6" for n in range(1, 7)]


@pytest.mark.clause("OZ-204", "OZ-206")
def test_events_come_as_time_goes_by(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    clock = f"{ozor.world.path}/clock"
    stream.next()
    at_first = ozor.world.control.get(clock).json()["now"]
    for _ in stream.events:
        pass
    at_last = ozor.world.control.get(clock).json()["now"]

    assert at_first == "2026-01-01T00:00:00Z"
    assert at_last > "2026-01-01T00:00:10"


@pytest.mark.clause("OZ-208", "OZ-209", "OZ-213")
def test_done_names_the_project_and_so_does_the_plan(ozor: Account, plan_id: str) -> None:
    last = steps.generate_plan(ozor, plan_id).events[-1]

    plan = steps.plan(ozor, plan_id)

    assert (last["step"], last["pct"]) == ("done", 100)
    assert (plan["status"], plan["projectId"]) == ("generated", last["projectId"])
    assert steps.video(ozor, last["projectId"])["status"] == "draft"


@pytest.mark.clause("OZ-209")
def test_project_can_be_exported_edited_and_listed(ozor: Account, plan_id: str) -> None:
    project_id = steps.generate_plan(ozor, plan_id).events[-1]["projectId"]

    exported = steps.exported(ozor, project_id, quality="720p", isPublic=True)
    edited = steps.edit(ozor, project_id)

    assert exported["shareCode"]
    assert edited["status"] == "completed"
    assert [item["videoId"] for item in steps.list_videos(ozor)] == [project_id]


@pytest.mark.clause("OZ-209", "OZ-213")
def test_no_project_exists_before_done(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    for _ in range(5):
        assert "projectId" not in stream.next()

    plan = steps.plan(ozor, plan_id)
    listed = steps.list_videos(ozor)
    stream.leave()

    assert (plan["status"], plan["projectId"]) == ("generating", None)
    assert listed == []


@pytest.mark.clause("OZ-202")
def test_plan_under_generation_cannot_be_generated(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    stream.next()

    second = steps.generate_plan(ozor, plan_id)
    stream.leave()

    assert steps.refusal(second) == (400, "state")
    assert ozor.money == (6, 3, 1)


@pytest.mark.clause("OZ-202", "OZ-214")
def test_generated_plan_cannot_be_generated_again(ozor: Account) -> None:
    finished = steps.finished_plan(ozor)

    answer = steps.generate_plan(ozor, finished["planId"])

    assert steps.refusal(answer) == (400, "state")
    assert steps.plan(ozor, finished["planId"])["projectId"] == finished["projectId"]


@pytest.mark.clause("OZ-203")
def test_shortfall_is_plain_json_and_not_a_stream(ozor: Account, plan_id: str) -> None:
    ozor.set_credits(0)

    answer = steps.generate_plan(ozor, plan_id)

    assert steps.refusal(answer) == (402, "credits")
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert steps.plan(ozor, plan_id)["status"] == "draft"


@pytest.mark.clause("OZ-210", "OZ-211")
def test_failure_is_the_last_event(ozor: Account, plan_id: str) -> None:
    steps.fail_next(ozor.world, "generatePlan", "TTS failed")

    answer = steps.generate_plan(ozor, plan_id)

    assert answer.status == 200
    assert (answer.events[-1]["step"], answer.events[-1]["pct"]) == ("error", -1)
    assert "TTS failed" in answer.events[-1]["detail"]
    assert [e["step"] for e in answer.events].count("error") == 1
    assert "done" not in [e["step"] for e in answer.events]


@pytest.mark.clause("OZ-206", "OZ-210")
def test_pct_rises_up_to_the_failure(ozor: Account, plan_id: str) -> None:
    steps.fail_next(ozor.world, "generatePlan", "TTS failed")

    percents = [event["pct"] for event in steps.generate_plan(ozor, plan_id).events]

    assert percents[0] == 0
    assert percents[:-1] == sorted(percents[:-1])


@pytest.mark.clause("OZ-210", "OZ-211")
def test_running_generation_can_be_made_to_fail(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    stream.next()
    ozor.world.fail_job(plan_id, "the voice service did not answer")

    rest = list(stream.events)

    assert (rest[-1]["step"], rest[-1]["pct"]) == ("error", -1)
    assert "the voice service did not answer" in rest[-1]["detail"]


@pytest.mark.clause("OZ-212", "OZ-201", "OZ-051")
def test_failed_plan_can_be_generated_again(ozor: Account) -> None:
    plan_id = steps.failed_plan(ozor, voiced=4)
    failed = steps.plan(ozor, plan_id)

    events = steps.generate_plan(ozor, plan_id).events
    plan = steps.plan(ozor, plan_id)

    assert failed["status"] == "failed"
    assert "TTS failed" in failed["error"]
    assert failed["projectId"] is None
    assert events[-1]["step"] == "done"
    assert (plan["status"], plan["error"]) == ("generated", None)
    assert ozor.money == (7, 0, 3)


@pytest.mark.clause("OZ-215")
def test_unknown_plan_is_404_and_foreign_plan_403(ozor: Account, neighbour: Account) -> None:
    theirs = steps.analyze(neighbour)["planId"]

    unknown = steps.generate_plan(ozor, steps.NO_PLAN)
    foreign = steps.generate_plan(ozor, theirs)

    assert steps.refusal(unknown) == (404, "not_found")
    assert steps.refusal(foreign) == (403, "ownership")
    assert steps.plan(neighbour, theirs)["status"] == "draft"


@pytest.mark.clause("OZ-216")
def test_second_attempt_is_paid_once(ozor: Account) -> None:
    plan_id = steps.failed_plan(ozor, voiced=6)
    steps.generate_plan(ozor, plan_id)

    captured = [e["amount"] for e in ozor.ledger()["entries"] if e["kind"] == "capture"]

    assert sum(captured) == 3
    assert ozor.money == (6, 0, 4)


@pytest.mark.clause("OZ-201", "OZ-204")
@pytest.mark.parametrize(
    "headers",
    [{}, {"Accept": "text/event-stream"}, {"Accept": "*/*"}, {"Content-Type": "application/json"}],
)
def test_no_body_and_no_particular_header_is_needed(
    ozor: Account, plan_id: str, headers: dict[str, str]
) -> None:
    answer = ozor.client.post(f"{steps.plan_path(plan_id)}/generate", headers=headers)

    assert answer.events[-1]["step"] == "done"
