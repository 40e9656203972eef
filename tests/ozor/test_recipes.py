"""The documented journeys from the first call to the finished file, as a client walks them."""

from __future__ import annotations

import re

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps


def is_playable(account: Account, url: str) -> bool:
    answer = account.client.follow(url)
    return answer.status == 200 and answer.content[4:8] == b"ftyp"


@pytest.mark.clause("OZ-228", "OZ-065", "OZ-071")
def test_quickstart_generates_renders_and_shares(ozor: Account) -> None:
    submitted = steps.generate(
        ozor,
        prompt="A 20s product teaser for a wireless headphone",
        aspect="16:9",
        export=True,
        exportQuality="1080p",
        exportIsPublic=True,
    )

    done = steps.finish_export(ozor, submitted["videoId"])

    assert submitted["status"] == "pending"
    assert (done["exportStatus"], done["status"]) == ("complete", "completed")
    assert re.fullmatch(r"[a-z0-9]{7}", done["shareCode"])
    assert is_playable(ozor, done["shareUrl"])
    assert is_playable(ozor, done["downloadUrl"])
    assert ozor.client.follow(done["thumbnailUrl"]).headers["content-type"] == "image/jpeg"
    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-228")
def test_export_status_appears_before_it_is_complete(ozor: Account) -> None:
    """The two waits of the recipe are two: first for the field, then for its value."""
    submitted = steps.generate(ozor, export=True, exportIsPublic=True)

    polled = steps.poll_export(ozor, submitted["videoId"])

    seen = [item.get("exportStatus") for item in polled]
    assert seen == sorted(seen, key=[None, "queued", "processing", "complete"].index)
    assert {None, "processing", "complete"} <= set(seen)


@pytest.mark.clause("OZ-229")
def test_generate_then_export_separately(ozor: Account) -> None:
    submitted = steps.generate(ozor)
    job = steps.finish_job(ozor, submitted)
    export = steps.export(ozor, submitted["videoId"], quality="1080p", isPublic=True)
    done = steps.finish_export(ozor, submitted["videoId"])

    assert job["status"] == "completed"
    assert export["exportStatus"] == "queued"
    assert done["exportStatus"] == "complete"
    assert done["shareCode"] == export["shareCode"]
    assert is_playable(ozor, done["shareUrl"])


@pytest.mark.clause("OZ-230")
def test_iterative_edit(ozor: Account, video_id: str) -> None:
    first = steps.exported(ozor, video_id, quality="1080p")
    submitted = steps.send_message(ozor, video_id, message="Change background to dark blue")
    job = steps.finish_job(ozor, submitted)
    export = steps.export(ozor, video_id, quality="1080p")
    second = steps.finish_export(ozor, video_id)

    assert submitted["status"] == "queued"
    assert job["status"] == "completed"
    assert export["exportStatus"] == "queued"
    assert second["exportId"] == export["exportId"] != first["exportId"]
    assert is_playable(ozor, second["downloadUrl"])


@pytest.mark.clause("OZ-231")
def test_document_to_video(ozor: Account) -> None:
    plan = steps.analyze(ozor, file=steps.pptx(), target_duration_sec="30", prompt="Be brief")
    script = [{**scene, "voiceoverText": "In short."} for scene in plan["scenes"]]
    steps.update_plan(
        ozor, plan["planId"], scenes=script, voiceSettings={"voiceId": "nova", "speakingRate": 1.1}
    )
    last = steps.generate_plan(ozor, plan["planId"]).events[-1]
    export = steps.export(ozor, last["projectId"], quality="1080p", isPublic=True)
    done = steps.finish_export(ozor, last["projectId"])

    assert last["step"] == "done"
    assert export["exportStatus"] == "queued"
    assert done["exportStatus"] == "complete"
    assert is_playable(ozor, done["shareUrl"])
    assert ozor.money == (6, 0, 4)


def journey(account: Account) -> list[Json]:
    """Every answer of a walk through most operations."""
    submitted = steps.generate(account, export=True, exportIsPublic=True)
    answers = [submitted, *steps.poll_export(account, submitted["videoId"])]
    answers.append(steps.edit(account, submitted["videoId"]))
    plan = steps.analyze(account)
    answers += [plan, *steps.generate_plan(account, plan["planId"]).events]
    return [*answers, steps.list_videos(account), account.ledger()["entries"]]


@pytest.mark.clause("OZ-228", "OZ-230", "OZ-231")
def test_same_seed_and_same_calls_give_the_same_answers(
    world: MockWorld, other_world: MockWorld
) -> None:
    """Ids, durations, texts and payments; only addresses name the world they belong to."""
    first, second = (journey(each.account("ozor")) for each in (world, other_world))

    assert _without_urls(first) == _without_urls(second)


def _without_urls(node: Json) -> Json:
    if steps.is_object(node):
        return {name: _without_urls(value) for name, value in node.items() if "Url" not in name}
    if steps.is_list(node):
        return [_without_urls(item) for item in node]
    return None if isinstance(node, str) and node.startswith("http") else node
