"""Jobs from a recording: no script, no speech synthesis, and otherwise like the others."""

from __future__ import annotations

import pytest

from ..mock_client import Account, File
from . import steps


@pytest.mark.clause("OS-054", "OS-055", "OS-056")
def test_title_portrait_and_recording_make_a_job(oshara: Account) -> None:
    answer = oshara.client.post(
        "/api/video-only/",
        form={"title": "My Video", "avatar": steps.JPEG, "audio": steps.MP3},
    )

    assert answer.status == 201
    assert answer.json() == {
        "id": 1,
        "title": "My Video",
        "status": "PENDING",
        "text_content": "",
        "processed_video_url": None,
        "error_message": None,
        "created_at": "2026-01-01T00:00:00Z",
    }


@pytest.mark.clause("OS-055")
@pytest.mark.parametrize("audio", [steps.WAV, steps.MP3], ids=["wav", "mp3"])
def test_recording_is_wav_or_mp3(oshara: Account, audio: File) -> None:
    """S28."""
    assert steps.create_video_only(oshara, audio=audio)["status"] == "PENDING"


@pytest.mark.clause("OS-058")
def test_form_without_a_recording_is_400(oshara: Account) -> None:
    form = {"title": "My Video", "avatar": steps.JPEG}

    answer = oshara.client.post(steps.VIDEO_ONLY, form=form)

    assert (answer.status, answer.json()) == (400, {"audio": ["No file was submitted."]})


@pytest.mark.clause("OS-055", "OS-058")
def test_all_missing_fields_are_reported_at_once(oshara: Account) -> None:
    answer = oshara.client.post(steps.VIDEO_ONLY, form={"text_content": "Not needed"})

    assert answer.status == 400
    assert answer.json() == {
        "title": ["This field is required."],
        "avatar": ["No file was submitted."],
        "audio": ["No file was submitted."],
    }


@pytest.mark.clause("OS-055")
def test_other_files_are_refused(oshara: Account) -> None:
    form = {"title": "My Video", "avatar": steps.MP3, "audio": steps.JPEG}

    answer = oshara.client.post(steps.VIDEO_ONLY, form=form)

    assert answer.status == 400
    assert answer.json() == {
        "avatar": [steps.BAD_IMAGE],
        "audio": ["Upload a valid audio file. Allowed types are: wav, mp3."],
    }


@pytest.mark.clause("OS-057")
def test_job_is_polled_listed_and_counted_with_the_others(oshara: Account) -> None:
    """S16."""
    spoken = steps.create(oshara)
    recorded = steps.create_video_only(oshara)

    shown = steps.watch(oshara, recorded)

    assert {job["status"] for job in shown} == {"PENDING", "PROCESSING", "COMPLETED"}
    assert oshara.client.follow(shown[-1]["processed_video_url"]).status == 200
    assert [job["id"] for job in steps.listed(oshara)] == [recorded["id"], spoken["id"]]
    assert steps.stats(oshara)["total"] == 2


@pytest.mark.clause("OS-041", "OS-057")
def test_job_fails_like_the_others(oshara: Account) -> None:
    steps.fault(oshara.world, "job_failure", "createVideoOnlyJob", reason="The audio is silent.")

    job = steps.watch(oshara, steps.create_video_only(oshara))[-1]

    assert (job["status"], job["error_message"]) == ("FAILED", "The audio is silent.")


@pytest.mark.clause("OS-054", "OS-063")
def test_there_is_no_separate_list(oshara: Account) -> None:
    answer = oshara.client.get(steps.VIDEO_ONLY)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
