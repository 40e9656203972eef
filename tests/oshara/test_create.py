"""Creating a job: what the form needs, what its files may be, and what comes back."""

from __future__ import annotations

import re

import pytest

from ..mock_client import Account, File
from . import steps

UNCHANGED = {"total": 0, "completed": 0, "failed": 0, "pending": 0}


@pytest.mark.clause(
    "OS-005", "OS-006", "OS-022", "OS-023", "OS-024", "OS-025", "OS-026", "OS-027", "OS-028"
)
def test_form_with_the_least_is_answered_with_a_waiting_job(oshara: Account) -> None:
    answer = oshara.client.post(
        "/api/video-jobs/",
        form={
            "title": "Product Demo",
            "text_content": "Welcome to Acme!",
            "avatar": steps.JPEG,
        },
    )

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "id": 1,
        "title": "Product Demo",
        "status": "PENDING",
        "text_content": "Welcome to Acme!",
        "processed_video_url": None,
        "error_message": None,
        "created_at": "2026-01-01T00:00:00Z",
    }


@pytest.mark.clause("OS-022")
def test_ids_are_integers_that_count_up(oshara: Account, neighbour: Account) -> None:
    ids = [steps.create(account)["id"] for account in (oshara, neighbour, oshara)]

    assert ids == [1, 2, 3]


@pytest.mark.clause("OS-028")
def test_created_at_is_the_instant_of_the_call_in_utc(oshara: Account) -> None:
    oshara.world.advance(3_725_999)

    created_at = steps.create(oshara)["created_at"]

    assert created_at == "2026-01-01T01:02:05Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created_at)


@pytest.mark.clause("OS-023", "OS-025")
@pytest.mark.parametrize("text", ["Ünïcödé — 視頻", "two\nlines", '"quoted" & <tagged>', "x  y"])
def test_title_and_script_come_back_as_they_were_sent(oshara: Account, text: str) -> None:
    job = steps.create(oshara, title=text, text_content=text)

    assert (job["title"], job["text_content"]) == (text, text)
    assert steps.read(oshara, job)["text_content"] == text


@pytest.mark.clause("OS-023", "OS-025")
def test_white_space_around_title_and_script_is_removed(oshara: Account) -> None:
    """S32: as by the framework, which then counts the characters."""
    job = steps.create(oshara, title="  My title \n", text_content="\tHello. ")
    longest = steps.create_video_only(oshara, title=" " + "é" * 255 + " ")

    assert (job["title"], job["text_content"]) == ("My title", "Hello.")
    assert longest["title"] == "é" * 255


@pytest.mark.clause("OS-029")
def test_answer_comes_before_there_is_a_video(oshara: Account) -> None:
    job = steps.create(oshara)

    shown = steps.read(oshara, job)

    assert (shown["status"], shown["processed_video_url"]) == ("PENDING", None)


@pytest.mark.clause("OS-007", "OS-008", "OS-009")
@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("title", "This field is required."),
        ("text_content", "This field is required."),
        ("avatar", "No file was submitted."),
    ],
)
def test_form_without_a_required_field_is_400(oshara: Account, field: str, message: str) -> None:
    """S1."""
    assert steps.refused(oshara, field) == {field: [message]}
    assert steps.stats(oshara) == UNCHANGED


@pytest.mark.clause("OS-007", "OS-008", "OS-009")
def test_all_missing_fields_are_reported_at_once(oshara: Account) -> None:
    answers = [
        oshara.client.post(steps.JOBS),
        oshara.client.post(steps.JOBS, form={"unknown": "field"}),
    ]

    assert [(answer.status, answer.json()) for answer in answers] == 2 * [
        (
            400,
            {
                "title": ["This field is required."],
                "text_content": ["This field is required."],
                "avatar": ["No file was submitted."],
            },
        )
    ]


@pytest.mark.clause("OS-007", "OS-008", "OS-009")
@pytest.mark.parametrize("blank", ["", "   ", "\n\t"])
def test_blank_texts_and_a_text_for_a_file_are_400(oshara: Account, blank: str) -> None:
    assert steps.refused(oshara, title=blank, text_content=blank, avatar=blank) == {
        "title": ["This field may not be blank."],
        "text_content": ["This field may not be blank."],
        "avatar": [steps.NOT_A_FILE],
    }


@pytest.mark.clause("OS-007")
def test_title_has_at_most_255_characters(oshara: Account) -> None:
    """S29."""
    assert steps.create(oshara, title="é" * 255)["title"] == "é" * 255
    assert steps.refused(oshara, title="é" * 256) == {
        "title": ["Ensure this field has no more than 255 characters."]
    }


@pytest.mark.clause("OS-008", "OS-025")
def test_script_may_be_long(oshara: Account) -> None:
    """S29."""
    script = "word " * 20_000 + "end"

    assert steps.create(oshara, text_content=script)["text_content"] == script


@pytest.mark.clause("OS-010", "OS-011")
@pytest.mark.parametrize("avatar", [steps.JPEG, steps.PNG], ids=["jpeg", "png"])
def test_jpeg_and_png_are_taken_as_avatar(oshara: Account, avatar: File) -> None:
    assert steps.create(oshara, avatar=avatar)["status"] == "PENDING"


@pytest.mark.clause("OS-010", "OS-011")
def test_bytes_decide_on_the_avatar_and_not_name_or_label(oshara: Account) -> None:
    """S14."""
    unlabelled = File("portrait", steps.PNG.content, "application/octet-stream")
    disguised = File("portrait.png", steps.TEXT.content, "image/png")

    assert steps.create(oshara, avatar=unlabelled)["status"] == "PENDING"
    assert steps.refused(oshara, avatar=disguised) == {"avatar": [steps.BAD_IMAGE]}


@pytest.mark.clause("OS-012")
@pytest.mark.parametrize(
    "avatar",
    [steps.TEXT, steps.GIF, steps.WEBP, steps.WAV, steps.MP3],
    ids=["text", "gif", "webp", "wav", "mp3"],
)
def test_other_files_are_refused_as_avatar(oshara: Account, avatar: File) -> None:
    assert steps.refused(oshara, avatar=avatar) == {"avatar": [steps.BAD_IMAGE]}
    assert steps.stats(oshara) == UNCHANGED


@pytest.mark.clause("OS-012", "OS-016")
@pytest.mark.parametrize("field", ["avatar", "reference_audio"])
def test_empty_file_is_400(oshara: Account, field: str) -> None:
    empty = File("empty", b"", "application/octet-stream")

    assert steps.refused(oshara, **{field: empty}) == {field: ["The submitted file is empty."]}


@pytest.mark.clause("OS-013", "OS-018")
def test_voice_may_be_left_to_the_provider(oshara: Account) -> None:
    """S9."""
    job = steps.create(oshara)

    assert steps.control_job(oshara.world, job)["details"]["voice"] == "standard"


@pytest.mark.clause("OS-014", "OS-015")
@pytest.mark.parametrize("audio", [steps.WAV, steps.MP3], ids=["wav", "mp3"])
def test_wav_and_mp3_are_taken_as_voice_sample(oshara: Account, audio: File) -> None:
    job = steps.create(oshara, reference_audio=audio)

    voice = steps.control_job(oshara.world, job)["details"]["voice"]
    assert voice.startswith("reference_audio ")


@pytest.mark.clause("OS-015")
def test_mp3_that_begins_with_a_tag_is_taken(oshara: Account) -> None:
    tagged = File("voice.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x00" + steps.MP3.content)

    assert steps.create(oshara, reference_audio=tagged)["status"] == "PENDING"


@pytest.mark.clause("OS-016")
@pytest.mark.parametrize(
    "audio", [steps.TEXT, steps.JPEG, steps.WEBP], ids=["text", "jpeg", "riff"]
)
def test_other_files_are_refused_as_voice_sample(oshara: Account, audio: File) -> None:
    """S28."""
    assert steps.refused(oshara, reference_audio=audio) == {
        "reference_audio": ["Upload a valid audio file. Allowed types are: wav, mp3."]
    }


@pytest.mark.clause("OS-016")
def test_text_is_refused_as_voice_sample(oshara: Account) -> None:
    assert steps.refused(oshara, reference_audio="voice.wav") == {
        "reference_audio": [steps.NOT_A_FILE]
    }


@pytest.mark.clause("OS-017", "OS-018")
def test_saved_voice_replaces_a_sample(oshara: Account) -> None:
    job = steps.create(oshara, reference_voice="17")

    assert steps.control_job(oshara.world, job)["details"]["voice"] == "reference_voice 17"


@pytest.mark.clause("OS-018")
def test_sample_wins_over_a_saved_voice(oshara: Account) -> None:
    """S8."""
    job = steps.create(oshara, reference_audio=steps.WAV, reference_voice="17")

    voice = steps.control_job(oshara.world, job)["details"]["voice"]
    assert voice.startswith("reference_audio ")


@pytest.mark.clause("OS-012")
def test_file_that_only_begins_like_a_picture_is_refused_as_avatar(oshara: Account) -> None:
    """S14: the framework opens it."""
    begun = [steps.JPEG.content[:7], steps.PNG.content[:20]]

    messages = [
        steps.refused(oshara, avatar=File("a.jpg", content, "image/jpeg")) for content in begun
    ]

    assert messages == [{"avatar": [steps.BAD_IMAGE]}] * 2


@pytest.mark.clause("OS-013", "OS-017")
def test_voice_fields_that_are_left_empty_count_as_absent(oshara: Account) -> None:
    """S31: an HTML form sends every field."""
    job = steps.create(oshara, reference_voice="", reference_audio="")

    assert steps.control_job(oshara.world, job)["details"]["voice"] == "standard"


@pytest.mark.clause("OS-019")
@pytest.mark.parametrize("voice", ["nova", "1.5", " ", "1e3", "0x1F", "true"])
def test_voice_other_than_a_whole_number_is_400(oshara: Account, voice: str) -> None:
    assert steps.refused(oshara, reference_voice=voice) == {
        "reference_voice": ["Incorrect type. Expected pk value, received str."]
    }


@pytest.mark.clause("OS-017", "OS-019")
@pytest.mark.parametrize("voice", ["0", "-3"])
def test_voice_that_cannot_exist_is_400(oshara: Account, voice: str) -> None:
    assert steps.refused(oshara, reference_voice=voice) == {
        "reference_voice": [f'Invalid pk "{voice}" - object does not exist.']
    }


@pytest.mark.clause("OS-020")
@pytest.mark.parametrize("text", ['{"fps": 25}', "[1, 2]", "null", ' "calm" '])
def test_processing_params_is_json_in_a_text(oshara: Account, text: str) -> None:
    assert steps.create(oshara, processing_params=text)["status"] == "PENDING"


@pytest.mark.clause("OS-020")
def test_processing_params_is_handed_on_and_not_shown(oshara: Account) -> None:
    """S18."""
    job = steps.create(oshara, processing_params='{"fps": 25}')

    handed_on = steps.control_job(oshara.world, job)["details"]["processing_params"]
    assert handed_on == {"fps": 25}
    assert set(steps.read(oshara, job)) == steps.JOB_FIELDS


@pytest.mark.clause("OS-021")
@pytest.mark.parametrize("text", ["{", "fps=25", "{'fps': 25}", "NaN", "[" * 5_000, ""])
def test_processing_params_that_does_not_parse_is_400(oshara: Account, text: str) -> None:
    assert steps.refused(oshara, processing_params=text) == {
        "processing_params": ["Value must be valid JSON."]
    }


@pytest.mark.clause("OS-006", "OS-007", "OS-012", "OS-019", "OS-021")
def test_all_wrong_fields_are_reported_at_once(oshara: Account) -> None:
    wrong: dict[str, str | File] = {
        "reference_voice": "nova",
        "processing_params": "{",
        "avatar": steps.TEXT,
    }

    assert steps.refused(oshara, "title", **wrong) == {
        "title": ["This field is required."],
        "avatar": [steps.BAD_IMAGE],
        "reference_voice": ["Incorrect type. Expected pk value, received str."],
        "processing_params": ["Value must be valid JSON."],
    }


@pytest.mark.clause("OS-006")
def test_unknown_fields_are_ignored(oshara: Account) -> None:
    assert steps.create(oshara, language="en", extra=steps.TEXT)["status"] == "PENDING"
