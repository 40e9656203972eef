"""Where the document is silent: the other readings. The default ones are tested where they belong.

Each test begins with the id of the point as the contract lists it.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, File, MockWorld, make_world
from . import steps


def readings(world: MockWorld) -> Json:
    return steps.accepted(world.control.get(f"{world.path}/interpretations"))


def test_all_32_points_are_listed_with_their_reason(world: MockWorld) -> None:
    """S1 to S32."""
    listed = [item for name, item in readings(world).items() if name.startswith("oshara.")]

    assert {item["id"] for item in listed} == {f"S{number}" for number in range(1, 33)}
    assert all(item["value"] == item["default"] and item["reason"] for item in listed)


@pytest.mark.clause("OS-005", "OS-054")
def test_creation_may_be_answered_200(oshara: Account) -> None:
    """S2, 200."""
    oshara.world.choose(oshara__create_status="200")

    answers = [
        oshara.client.post(steps.JOBS, form=steps.LEAST),
        oshara.client.post(steps.VIDEO_ONLY, form=steps.LEAST_VIDEO_ONLY),
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert set(answers[0].json()) == steps.CREATED_FIELDS


@pytest.mark.clause("OS-064")
def test_errors_may_stand_in_an_envelope(oshara: Account) -> None:
    """S3, envelope."""
    oshara.world.choose(oshara__error_form="envelope")

    invalid = oshara.client.post(steps.JOBS, form={**steps.LEAST, "title": ""})
    unknown = oshara.client.get(steps.NO_JOB)
    anonymous = oshara.world.anonymous("oshara").get(steps.JOBS)

    assert (invalid.status, unknown.status, anonymous.status) == (400, 404, 401)
    assert invalid.json() == {
        "success": False,
        "message": "Invalid input.",
        "data": None,
        "errors": {"title": ["This field may not be blank."]},
    }
    assert unknown.json() == {
        "success": False,
        "message": "No VideoJob matches the given query.",
        "data": None,
        "errors": {"detail": "No VideoJob matches the given query."},
    }
    assert anonymous.json()["message"] == "Authentication credentials were not provided."


@pytest.mark.clause("OS-030", "OS-031")
def test_list_may_come_as_a_page(oshara: Account) -> None:
    """S4, paginated."""
    oshara.world.choose(oshara__list_form="paginated")
    made = [steps.create(oshara)["id"] for _ in range(2)]

    page = steps.accepted(oshara.client.get(steps.JOBS))

    assert [job["id"] for job in page.pop("results")] == [*reversed(made)]
    assert page == {"count": 2, "next": None, "previous": None}


@pytest.mark.clause("OS-030", "OS-031")
def test_listed_job_may_have_the_fields_of_a_created_one(oshara: Account) -> None:
    """S5, as_created: a retrieved one still has all nine."""
    oshara.world.choose(oshara__listed_fields="as_created")
    made = steps.create(oshara)

    assert steps.listed(oshara) == [made]
    assert set(steps.read(oshara, made)) == steps.JOB_FIELDS


@pytest.mark.clause("OS-016", "OS-017")
def test_two_voices_may_be_refused(oshara: Account) -> None:
    """S8, refuse: one of them is still fine."""
    oshara.world.choose(oshara__both_voices="refuse")

    both = steps.refused(oshara, reference_audio=steps.WAV, reference_voice="1")

    assert both == {
        "reference_audio": ["Give either a reference_audio or a reference_voice, not both."]
    }
    assert steps.create(oshara, reference_audio=steps.WAV)["status"] == "PENDING"
    assert steps.create(oshara, reference_voice="1")["status"] == "PENDING"


@pytest.mark.clause("OS-016", "OS-017")
def test_no_voice_may_be_refused(oshara: Account) -> None:
    """S9, refuse: a recording that is the narration needs none."""
    oshara.world.choose(oshara__no_voice="refuse")

    assert steps.refused(oshara) == {"reference_audio": ["No file was submitted."]}
    assert steps.refused(oshara, title="") == {
        "title": ["This field may not be blank."],
        "reference_audio": ["No file was submitted."],
    }
    assert steps.create(oshara, reference_voice="1")["status"] == "PENDING"
    assert steps.create_video_only(oshara)["status"] == "PENDING"


@pytest.mark.clause("OS-038")
def test_external_id_may_be_there_from_the_beginning(oshara: Account) -> None:
    """S10, from_creation_on: and stays what it is."""
    oshara.world.choose(oshara__external_job_id="from_creation_on")
    job = steps.create(oshara)

    shown = [each["external_job_id"] for each in steps.watch(oshara, job)]

    assert len(set(shown)) == 1
    assert shown[0].startswith("imtk-")
    assert steps.listed(oshara)[0]["external_job_id"] == shown[0]


@pytest.mark.clause("OS-060", "OS-061")
def test_foreign_job_may_be_forbidden(oshara: Account, neighbour: Account) -> None:
    """S12, 403: an unknown one is still not found."""
    oshara.world.choose(oshara__foreign_job="403")
    theirs = steps.create(neighbour)

    answer = oshara.client.get(steps.path_of(theirs))

    assert (answer.status, answer.json()) == (
        403,
        {"detail": "You do not have permission to perform this action."},
    )
    assert oshara.client.get(steps.NO_JOB).status == 404
    assert steps.listed(oshara) == []


@pytest.mark.clause("OS-020", "OS-033")
def test_parameters_may_be_shown(oshara: Account) -> None:
    """S18, shown: read and listed."""
    oshara.world.choose(oshara__processing_params_echo="shown")
    job = steps.create(oshara, processing_params='{"speed": 2}')
    bare = steps.create(oshara)

    assert steps.read(oshara, job)["processing_params"] == {"speed": 2}
    assert steps.read(oshara, bare)["processing_params"] is None
    assert [each["processing_params"] for each in steps.listed(oshara)] == [None, {"speed": 2}]


@pytest.mark.clause("OS-022")
def test_created_job_has_seven_fields(oshara: Account) -> None:
    """S6."""
    assert set(steps.create(oshara)) == steps.CREATED_FIELDS


@pytest.mark.clause("OS-024", "OS-026")
def test_created_job_is_pending_even_where_jobs_take_no_time(world: MockWorld) -> None:
    """S6: the answer to a creation is the one that is documented."""
    hasty = make_world(world.wsgi, pace="instant").account("oshara")

    created = steps.create(hasty)

    assert (created["status"], created["processed_video_url"]) == ("PENDING", None)
    assert steps.read(hasty, created)["status"] == "COMPLETED"


@pytest.mark.clause("OS-050")
def test_jobs_in_work_may_be_in_the_total_alone(oshara: Account) -> None:
    """S7, waiting_only."""
    oshara.world.choose(oshara__pending_in_stats="waiting_only")
    steps.create(oshara)
    oshara.world.advance(60_000)
    steps.create(oshara)

    assert steps.stats(oshara) == {"total": 2, "completed": 0, "failed": 0, "pending": 1}


@pytest.mark.clause("OS-028", "OS-039")
def test_timestamps_may_carry_microseconds(oshara: Account) -> None:
    """S11, microseconds."""
    oshara.world.choose(oshara__timestamps="microseconds")
    oshara.world.advance(1_234)

    job = steps.read(oshara, steps.create(oshara))

    assert job["created_at"] == job["updated_at"] == "2026-01-01T00:00:01.234000Z"


@pytest.mark.clause("OS-012")
@pytest.mark.parametrize("avatar", [steps.GIF, steps.WEBP], ids=["gif", "webp"])
def test_avatar_may_be_any_picture(oshara: Account, avatar: File) -> None:
    """S14, any_picture: still no text, though."""
    oshara.world.choose(oshara__avatar_check="any_picture")

    assert steps.create(oshara, avatar=avatar)["status"] == "PENDING"
    assert steps.refused(oshara, avatar=steps.TEXT) == {"avatar": [steps.BAD_IMAGE]}


@pytest.mark.clause("OS-056")
def test_script_of_a_video_only_job_may_be_null(oshara: Account) -> None:
    """S15, null."""
    oshara.world.choose(oshara__video_only_text="null")

    job = steps.create_video_only(oshara)

    assert job["text_content"] is None
    assert steps.read(oshara, job)["text_content"] is None


@pytest.mark.clause("OS-017", "OS-019")
def test_only_three_voices_may_be_known(oshara: Account) -> None:
    """S23, first_three."""
    oshara.world.choose(oshara__known_voices="first_three")

    assert steps.create(oshara, reference_voice="3")["status"] == "PENDING"
    assert steps.refused(oshara, reference_voice="999") == {
        "reference_voice": ['Invalid pk "999" - object does not exist.']
    }


@pytest.mark.clause("OS-060", "OS-061")
def test_unknown_job_may_have_a_short_message(oshara: Account, neighbour: Account) -> None:
    """S24, short."""
    oshara.world.choose(oshara__not_found_text="short")
    theirs = steps.create(neighbour)

    answers = [oshara.client.get(path) for path in (steps.NO_JOB, steps.path_of(theirs))]

    assert [(answer.status, answer.json()) for answer in answers] == [
        (404, {"detail": "Not found."}),
        (404, {"detail": "Not found."}),
    ]


@pytest.mark.clause("OS-064")
def test_unknown_path_may_be_json(oshara: Account) -> None:
    """S27, json."""
    oshara.world.choose(oshara__unknown_path="json")

    answer = oshara.client.get("/api/nothing/here/")

    assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.clause("OS-030")
def test_accept_header_may_be_ignored(oshara: Account) -> None:
    """S30, ignored."""
    oshara.world.choose(oshara__accept_header="ignored")

    answer = oshara.client.get(steps.JOBS, headers={"Accept": "application/xml"})

    assert (answer.status, answer.json()) == (200, [])


@pytest.mark.clause("OS-023", "OS-025")
def test_white_space_may_be_kept(oshara: Account) -> None:
    """S32, kept: then it counts as well."""
    oshara.world.choose(oshara__surrounding_space="kept")

    job = steps.create(oshara, title=" x ", text_content=" y ")

    assert (job["title"], job["text_content"]) == (" x ", " y ")
    assert steps.refused(oshara, title="é" * 255 + " ") == {
        "title": ["Ensure this field has no more than 255 characters."]
    }


@pytest.mark.clause("OS-017", "OS-019")
def test_empty_voice_fields_may_be_refused(oshara: Account) -> None:
    """S31, refuse."""
    oshara.world.choose(oshara__blank_fields="refuse")

    assert steps.refused(oshara, reference_voice="", reference_audio="") == {
        "reference_audio": [steps.NOT_A_FILE],
        "reference_voice": ["Incorrect type. Expected pk value, received str."],
    }


@pytest.mark.clause("OS-012")
def test_first_bytes_of_a_picture_may_suffice(oshara: Account) -> None:
    """S14, first_bytes: those of another type still do not."""
    oshara.world.choose(oshara__avatar_check="first_bytes")
    begun = File("a.jpg", b"\xff\xd8\xff\xe0\x00\x10J", "image/jpeg")

    assert steps.create(oshara, avatar=begun)["status"] == "PENDING"
    assert steps.refused(oshara, avatar=steps.GIF) == {"avatar": [steps.BAD_IMAGE]}


@pytest.mark.clause("OS-057")
def test_video_only_job_may_be_read_at_its_own_path(oshara: Account, neighbour: Account) -> None:
    """S16, own_path: beside the path of all jobs, and for the owner alone."""
    job = steps.create_video_only(oshara)
    path = f"{steps.VIDEO_ONLY}{job['id']}/"
    before = oshara.client.get(path).status
    oshara.world.choose(oshara__video_only_polling="own_path")

    shown = oshara.client.get(path)

    assert (before, shown.status) == (404, 200)
    assert shown.json() == steps.read(oshara, job)
    assert neighbour.client.get(path).status == 404
    assert oshara.client.get(f"{steps.VIDEO_ONLY}999999/").status == 404
