"""Where the document is silent, continued: A18 to A39, as the contract lists them.

What the mock does, and the other reading where a switch offers one.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, File
from . import steps


@pytest.mark.clause("OZ-096")
@pytest.mark.parametrize(
    ("reading", "status"), [("table", "completed"), ("example_draft", "draft")]
)
def test_status_beside_a_complete_export(
    ozor: Account, video_id: str, reading: str, status: str
) -> None:
    """A18: the status table, unless the world follows the example."""
    ozor.world.choose(ozor__status_after_export=reading)

    assert steps.exported(ozor, video_id)["status"] == status


@pytest.mark.clause("OZ-208", "OZ-213")
def test_one_done_event_ends_the_stream(ozor: Account, plan_id: str) -> None:
    """A19, one."""
    events = steps.generate_plan(ozor, plan_id).events

    assert [event["step"] for event in events].count("done") == 1


@pytest.mark.clause("OZ-208")
def test_two_done_events_may_end_the_stream(ozor: Account, plan_id: str) -> None:
    """A19, double_done: the first has no projectId, as seen in the wild."""
    ozor.world.choose(ozor__done_events="double_done")

    events = steps.generate_plan(ozor, plan_id).events

    assert [event["step"] for event in events[-3:]] == ["assembly", "done", "done"]
    assert ["projectId" in event for event in events[-2:]] == [False, True]
    assert ozor.money == (6, 0, 4)


@pytest.mark.clause("OZ-205")
def test_event_is_one_data_line_and_a_blank_line(ozor: Account, plan_id: str) -> None:
    """A20."""
    text = steps.generate_plan(ozor, plan_id).text

    *events, rest = text.split("\n\n")
    assert rest == ""
    assert all(event.startswith("data: {") and "\n" not in event for event in events)


@pytest.mark.clause("OZ-216", "OZ-213")
def test_generation_goes_on_when_the_client_leaves(ozor: Account, plan_id: str) -> None:
    """A21."""
    stream = steps.open_stream(ozor, plan_id)
    stream.next()
    stream.leave()
    left_behind = steps.plan(ozor, plan_id)["status"]
    ozor.world.advance_until_idle()

    plan = steps.plan(ozor, plan_id)

    assert left_behind == "generating"
    assert plan["status"] == "generated"
    assert steps.video(ozor, plan["projectId"])["videoId"] == plan["projectId"]
    assert ozor.money == (6, 0, 4)


@pytest.mark.clause("OZ-190")
def test_plan_without_scenes_is_400(ozor: Account, plan_id: str) -> None:
    """A22."""
    answer = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": []})

    assert steps.refusal(answer) == (400, "validation")
    assert len(steps.plan(ozor, plan_id)["scenes"]) == 6


@pytest.mark.clause("OZ-193", "OZ-196")
@pytest.mark.parametrize("settings", [{"voiceId": "alloy"}, {"speakingRate": 2.5}])
def test_voice_settings_are_checked(ozor: Account, plan_id: str, settings: Json) -> None:
    """A23."""
    answer = ozor.client.patch(steps.plan_path(plan_id), json={"voiceSettings": settings})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-198")
def test_voice_settings_are_not_shown(ozor: Account, plan_id: str) -> None:
    """A24."""
    before = steps.plan(ozor, plan_id)

    edited = steps.update_plan(ozor, plan_id, voiceSettings={"voiceId": "nova"})

    assert set(edited) == set(before)
    assert "voice" not in edited


@pytest.mark.clause("OZ-187")
def test_edit_leaves_a_failed_plan_failed(ozor: Account) -> None:
    """A25."""
    plan_id = steps.failed_plan(ozor)

    edited = steps.update_plan(ozor, plan_id, scenes=steps.scenes(2))

    assert edited["status"] == "failed"


@pytest.mark.clause("OZ-029", "OZ-030")
@pytest.mark.parametrize(("reading", "status"), [("ok", 200), ("not_found", 404)])
def test_revoking_twice(ozor: Account, reading: str, status: int) -> None:
    """A26: fine, unless the world says that the key is gone."""
    ozor.world.choose(ozor__revoke_twice=reading)
    key_id = steps.create_key(ozor)["keyId"]

    answers = [steps.revoke_key(ozor, key_id).status for _ in range(2)]

    assert answers == [200, status]


@pytest.mark.clause("OZ-030", "OZ-035")
def test_revoking_a_foreign_key_is_404(ozor: Account, neighbour: Account) -> None:
    """A26: and the key goes on working."""
    theirs = steps.create_key(neighbour)

    answer = steps.revoke_key(ozor, theirs["keyId"])

    assert steps.refusal(answer)[0] == 404
    assert steps.with_key(neighbour, theirs["rawKey"]).get(steps.VIDEOS).status == 200


@pytest.mark.clause("OZ-007", "OZ-009")
def test_revoked_keys_do_not_count(ozor: Account) -> None:
    """A27: ten keys in a row, never more than five of them active."""
    for number in range(10):
        made = steps.create_key(ozor, f"key {number}")
        steps.revoke_key(ozor, made["keyId"])

    assert len(steps.list_keys(ozor)) == 11


_UNUSABLE_MEDIA: list[dict[str, list[Json]]] = [
    {"images": [{"url": "http://example.com/a.jpg"}]},
    {"videos": [{"url": "http://example.com/a.mp4"}]},
    {"images": [{"url": "ftp://example.com/a.jpg"}]},
    {"images": [{}]},
    {"videos": [{"durationSec": 3.5}]},
    {"images": [{"url": "https://example.com/a.gif", "mimeType": "image/gif"}]},
]


@pytest.mark.clause("OZ-217", "OZ-220", "OZ-221")
@pytest.mark.parametrize(
    "media",
    _UNUSABLE_MEDIA,
    ids=["http image", "http video", "ftp", "empty image", "empty video", "gif"],
)
def test_unusable_media_are_400(ozor: Account, media: dict[str, Json]) -> None:
    """A28, refuse."""
    answer = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", **media})

    assert steps.refusal(answer) == (400, "validation")
    assert next(iter(media)) in answer.json()["detail"]


@pytest.mark.clause("OZ-217")
def test_http_media_may_be_accepted(ozor: Account) -> None:
    """A28, accept: http passes then, ftp and nothing still do not."""
    ozor.world.choose(ozor__http_media_urls="accept")

    statuses = [
        ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", "images": [image]}).status
        for image in ({"url": "http://example.com/a.jpg"}, {"url": "ftp://example.com/a.jpg"}, {})
    ]

    assert statuses == [200, 400, 400]


@pytest.mark.clause("OZ-163")
@pytest.mark.parametrize(("size", "status"), [(52_428_800, 200), (52_428_801, 400)])
def test_50_megabytes_are_50_times_1024_times_1024(ozor: Account, size: int, status: int) -> None:
    """A29: the last byte counts."""
    form = {"file": File("large.pdf", steps.pdf_bytes(size), steps.PDF_TYPE)}

    assert ozor.client.post(steps.ANALYZE, form=form).status == status


@pytest.mark.clause("OZ-161", "OZ-162")
@pytest.mark.parametrize(
    ("name", "status"), [("deck.pdf", 200), ("DECK.PDF", 200), ("notes.txt", 400), ("upload", 400)]
)
def test_file_of_no_declared_type_goes_by_its_name(ozor: Account, name: str, status: int) -> None:
    """A30: clients that do not know a type send application/octet-stream."""
    form = {"file": steps.pdf(name, "application/octet-stream")}

    assert ozor.client.post(steps.ANALYZE, form=form).status == status


@pytest.mark.clause("OZ-147", "OZ-153")
def test_control_api_shows_the_conversation(ozor: Account) -> None:
    """A31: one for each video, in no answer of the provider."""
    first, second = steps.generate(ozor), steps.generate(ozor)
    edit = steps.finish_job(ozor, first) and steps.send_message(ozor, first["videoId"])

    conversations = [steps.conversation(ozor, each) for each in (first, edit, second)]

    assert conversations[0] == conversations[1] != conversations[2]
    assert conversations[0].startswith("conv_")
    assert conversations[0] not in ozor.client.get(steps.job_path(first)).text


@pytest.mark.clause("OZ-135", "OZ-140")
def test_two_messages_at_once_run_in_order(ozor: Account, video_id: str) -> None:
    """A32: both are accepted, and the second waits for the first."""
    first, second = steps.send_message(ozor, video_id), steps.send_message(ozor, video_id)
    seen: list[tuple[str, str]] = []
    for _ in range(steps.POLLS_MAX):
        seen.append((steps.job(ozor, first)["status"], steps.job(ozor, second)["status"]))
        if seen[-1] == ("completed", "completed"):
            break
        ozor.world.advance(500)

    overlapping = [pair for pair in seen if pair[0] != "completed" and pair[1] != "queued"]
    assert overlapping == []
    assert seen[-1] == ("completed", "completed")
    assert ("processing", "queued") in seen
    assert ("completed", "processing") in seen


@pytest.mark.clause("OZ-079", "OZ-209")
@pytest.mark.parametrize(("reading", "count"), [("yes", 1), ("no", 0)])
def test_projects_of_documents_in_the_list(ozor: Account, reading: str, count: int) -> None:
    """A33: listed, since they are made through the API, unless the world says otherwise."""
    ozor.world.choose(ozor__list_document_projects=reading)

    project_id = steps.finished_plan(ozor)["projectId"]

    assert len(steps.list_videos(ozor)) == count
    assert steps.video(ozor, project_id)["videoId"] == project_id


@pytest.mark.clause("OZ-113", "OZ-114")
def test_each_read_signs_anew(ozor: Account, video_id: str) -> None:
    """A34: two reads in one instant differ as well."""
    steps.exported(ozor, video_id)

    urls = {steps.video(ozor, video_id)["downloadUrl"] for _ in range(2)}

    assert len(urls) == 2


@pytest.mark.clause("OZ-011", "OZ-028")
def test_firebase_user_is_the_account(ozor: Account, neighbour: Account) -> None:
    """A35: a key made in a session opens what that session's account owns, and no more."""
    key = steps.with_key(ozor, steps.create_key(ozor)["rawKey"])
    mine, theirs = steps.generate(ozor)["videoId"], steps.generate(neighbour)["videoId"]

    statuses = [key.get(f"{steps.VIDEOS}/{id}").status for id in (mine, theirs)]

    assert statuses == [200, 403]


@pytest.mark.clause("OZ-048", "OZ-054")
def test_shortfall_is_a_text_with_price_and_balance(ozor: Account, plan_id: str) -> None:
    """A36."""
    ozor.set_credits(2)

    detail = steps.generate_plan(ozor, plan_id).json()["detail"]

    assert isinstance(detail, str)
    assert "3" in detail
    assert "2" in detail


@pytest.mark.clause("OZ-077")
def test_videos_of_one_instant_are_listed_last_made_first(ozor: Account) -> None:
    """A37."""
    made = [steps.generate(ozor)["videoId"] for _ in range(5)]

    assert [item["videoId"] for item in steps.list_videos(ozor)] == made[::-1]


@pytest.mark.clause("OZ-190", "OZ-225")
@pytest.mark.parametrize("place", ["elsewhere", "neighbour", "other plan", "climbing"])
def test_image_that_is_not_of_the_plan_is_refused_or_left_out(
    ozor: Account, neighbour: Account, plan_id: str, place: str
) -> None:
    """A38: only what the plan itself holds gets an address that opens it."""
    own = _storage_paths(ozor, plan_id)[0]
    path = {
        "elsewhere": "users/uid/plans/plan_.../page_0_img_0.png",
        "neighbour": _storage_paths(neighbour, steps.analyze(neighbour)["planId"])[0],
        "other plan": _storage_paths(ozor, steps.analyze(ozor)["planId"])[0],
        "climbing": own.replace("page_0", "../page_0"),
    }[place]
    scene = {**steps.scene(), "imageRefs": [{"storagePath": own}, {"storagePath": path}]}
    before = _storage_paths(ozor, plan_id)

    refused = ozor.client.patch(steps.plan_path(plan_id), json={"scenes": [scene]})
    untouched = _storage_paths(ozor, plan_id)
    ozor.world.choose(ozor__unknown_images="leave_out")
    (edited,) = steps.update_plan(ozor, plan_id, scenes=[scene])["scenes"]

    assert steps.refusal(refused) == (400, "validation")
    assert refused.json()["detail"] == (
        "scenes.0.imageRefs.1.storagePath: expected an image of this plan, "
        f"by the path that reading the plan shows, got {path!r}"
    )
    assert untouched == before
    assert [image["storagePath"] for image in edited["imageRefs"]] == [own]


@pytest.mark.clause("OZ-190")
def test_image_of_a_dropped_scene_can_come_back(ozor: Account, plan_id: str) -> None:
    """A38: what an edit leaves out is still the plan's."""
    last = _storage_paths(ozor, plan_id)[-1]
    steps.update_plan(ozor, plan_id, scenes=[steps.scene()])

    steps.update_plan(
        ozor, plan_id, scenes=[{**steps.scene(), "imageRefs": [{"storagePath": last}]}]
    )

    assert _storage_paths(ozor, plan_id) == [last]


def _storage_paths(account: Account, plan_id: str) -> list[str]:
    scenes = steps.plan(account, plan_id)["scenes"]
    return [image["storagePath"] for scene in scenes for image in scene["imageRefs"]]
