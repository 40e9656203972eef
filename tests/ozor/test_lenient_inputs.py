"""Forms of input that the document leaves open: what passes, and the reading that refuses it."""

from __future__ import annotations

import base64

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer
from . import steps

#: 54 bytes, so that `base64 -w 36` breaks the text into lines and it ends in no padding.
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(46)).decode()
UNPADDED = "iVBORw0KGgo"
LONG = "https://example.com/report"


def send(account: Account, **body: Json) -> Answer:
    return account.client.post(steps.GENERATE, json={"prompt": steps.PROMPT, **body})


def send_image(account: Account, data: str) -> Answer:
    return send(account, images=[{"base64": data}])


def lines_of(text: str, end: str) -> str:
    return end.join(text[at : at + 36] for at in range(0, len(text), 36)) + end


# base64 (A40, A41)


@pytest.mark.clause("OZ-219")
@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "data:;base64,"])
def test_data_prefix_is_not_needed_and_not_forbidden(ozor: Account, prefix: str) -> None:
    """A40, accept."""
    assert send_image(ozor, prefix + PNG).status == 200


@pytest.mark.clause("OZ-219")
def test_data_prefix_may_be_refused(ozor: Account) -> None:
    """A40, refuse: the text says what was wrong with it."""
    ozor.world.choose(ozor__base64_prefix="refuse")

    refused = send_image(ozor, f"data:image/png;base64,{PNG}")

    assert steps.refusal(refused) == (400, "validation")
    assert refused.json()["detail"].startswith(
        "images.0.base64: expected base64 without a data: prefix, got 'data:image/png"
    )
    assert send_image(ozor, PNG).status == 200


@pytest.mark.clause("OZ-217")
@pytest.mark.parametrize("data", ["data:image/png;base64,", "", "\n"])
def test_empty_data_is_not_a_medium(ozor: Account, data: str) -> None:
    assert steps.refusal(send_image(ozor, data)) == (400, "validation")


@pytest.mark.clause("OZ-219")
@pytest.mark.parametrize(
    ("reading", "broken_into_lines", "unpadded"),
    [("padded", 200, 400), ("strict", 400, 400), ("unpadded", 200, 200)],
)
def test_forms_of_base64(
    ozor: Account, reading: str, broken_into_lines: int, unpadded: int
) -> None:
    """A41: what `base64 file.png` prints, and what encoders for URLs leave out."""
    ozor.world.choose(ozor__base64_form=reading)

    statuses = [
        send_image(ozor, data).status
        for data in (PNG, lines_of(PNG, "\n"), lines_of(PNG, "\r\n"), UNPADDED)
    ]

    assert statuses == [200, broken_into_lines, broken_into_lines, unpadded]


@pytest.mark.parametrize("reading", ["padded", "strict", "unpadded"])
@pytest.mark.parametrize("data", ["not base64!", "abcde", "ab=d", "===="])
def test_broken_base64_is_refused_in_every_reading(ozor: Account, reading: str, data: str) -> None:
    """A41."""
    ozor.world.choose(ozor__base64_form=reading)

    assert steps.refusal(send_image(ozor, data)) == (400, "validation")


# null (A43)

WITHOUT_DEFAULT: list[dict[str, Json]] = [
    {"images": None, "videos": None},
    {"images": [{"url": "https://example.com/a.png", "base64": None, "mimeType": None}]},
    {"images": [{"url": None, "base64": PNG}]},
    {
        "videos": [
            {"url": "https://example.com/a.mp4", "durationSec": None, "thumbnailUrl": None},
        ]
    },
]
WITH_DEFAULT: list[dict[str, Json]] = [
    {"aspect": None},
    {"export": None, "exportQuality": None, "exportIsPublic": None},
]


@pytest.mark.clause("OZ-072", "OZ-073", "OZ-217", "OZ-222")
@pytest.mark.parametrize("body", WITHOUT_DEFAULT)
def test_null_without_a_documented_default_counts_as_left_out(
    ozor: Account, body: dict[str, Json]
) -> None:
    """A43, without_default."""
    assert send(ozor, **body).status == 200


@pytest.mark.parametrize("body", WITH_DEFAULT)
def test_null_in_place_of_a_documented_default_is_refused(
    ozor: Account, body: dict[str, Json]
) -> None:
    """A43, without_default."""
    assert steps.refusal(send(ozor, **body)) == (400, "validation")


@pytest.mark.parametrize("body", [*WITHOUT_DEFAULT, *WITH_DEFAULT])
def test_every_null_may_be_refused(ozor: Account, body: dict[str, Json]) -> None:
    """A43, refuse."""
    ozor.world.choose(ozor__null_fields="refuse")

    assert steps.refusal(send(ozor, **body)) == (400, "validation")


@pytest.mark.clause("OZ-062", "OZ-068", "OZ-070", "OZ-100")
def test_every_null_may_count_as_left_out(ozor: Account) -> None:
    """A43, any_optional: the defaults hold."""
    ozor.world.choose(ozor__null_fields="any_optional")
    video_id = steps.make_video(ozor, aspect=None, export=None, exportIsPublic=None)

    export = steps.export(ozor, video_id, quality=None, isPublic=None)

    assert "shareCode" not in export
    done = steps.finish_export(ozor, video_id)
    assert ozor.client.follow(done["downloadUrl"]).content[4:8] == b"ftyp"
    assert send(ozor, prompt=None).status == 400


@pytest.mark.parametrize("medium", [{"url": None}, {"base64": None}, {"url": None, "base64": None}])
def test_medium_of_nulls_is_no_medium(ozor: Account, medium: Json) -> None:
    """A43: left out, both of them."""
    refused = send(ozor, images=[medium])

    assert steps.refusal(refused) == (400, "validation")


@pytest.mark.clause("OZ-192", "OZ-194")
@pytest.mark.parametrize(
    "body",
    [
        {"scenes": None, "voiceSettings": None},
        {"voiceSettings": {"voiceId": None, "speakingStyle": None}},
    ],
)
def test_null_in_an_edit_changes_nothing(ozor: Account, plan_id: str, body: Json) -> None:
    """A43, without_default."""
    ozor.world.choose(ozor__voice_settings_shown="shown")
    before = steps.plan(ozor, plan_id)

    after = steps.update_plan(ozor, plan_id, **body)

    assert [it["sceneTitle"] for it in after["scenes"]] == [
        it["sceneTitle"] for it in before["scenes"]
    ]
    assert "voiceSettings" not in after


@pytest.mark.parametrize(("reading", "status"), [("without_default", 400), ("any_optional", 200)])
def test_null_as_rate(ozor: Account, plan_id: str, reading: str, status: int) -> None:
    """A43: 1.0 is the documented default."""
    ozor.world.choose(ozor__null_fields=reading)

    answer = ozor.client.patch(
        steps.plan_path(plan_id), json={"voiceSettings": {"speakingRate": None}}
    )

    assert answer.status == status


# Forms of an analysis (A44, A45), and addresses


@pytest.mark.clause("OZ-160", "OZ-165", "OZ-168")
@pytest.mark.parametrize(("reading", "status"), [("absent", 200), ("as_sent", 400)])
@pytest.mark.parametrize("field", ["url", "aspect_ratio", "target_duration_sec"])
def test_empty_text_of_a_form(ozor: Account, reading: str, status: int, field: str) -> None:
    """A44."""
    ozor.world.choose(ozor__empty_form_texts=reading)

    answer = ozor.client.post(steps.ANALYZE, form={"file": steps.pdf(), field: ""})

    assert answer.status == status
    if status == 200:
        plan = answer.json()["plan"]
        assert (plan["aspectRatio"], len(plan["scenes"])) == ("16:9", 6)


@pytest.mark.clause("OZ-159")
def test_empty_address_alone_is_not_a_source(ozor: Account) -> None:
    """A44, absent."""
    refused = ozor.client.post(steps.ANALYZE, form={"url": ""})

    assert steps.refusal(refused) == (400, "validation")
    assert refused.json()["detail"] == "Provide exactly one of file and url; got neither."


@pytest.mark.clause("OZ-165", "OZ-166")
@pytest.mark.parametrize(
    ("reading", "statuses"),
    [
        ("positive", [400, 400, 200, 200]),
        ("up_to_an_hour", [400, 400, 200, 400]),
        ("any_integer", [200, 200, 200, 200]),
    ],
)
def test_range_of_the_target_duration(ozor: Account, reading: str, statuses: list[int]) -> None:
    """A45: the number of scenes stays between 1 and 60."""
    ozor.world.choose(ozor__target_duration_range=reading)

    answers = [
        ozor.client.post(steps.ANALYZE, form={"url": LONG, "target_duration_sec": target})
        for target in ("-5", "0", "3600", "3601")
    ]

    assert [answer.status for answer in answers] == statuses
    counts = {len(it.json()["plan"]["scenes"]) for it in answers if it.status == 200}
    assert counts <= {1, 60}


@pytest.mark.clause("OZ-164", "OZ-173")
@pytest.mark.parametrize(
    "url",
    ["HTTPS://Example.com/a", "Http://example.com", "https://[::1]/", "http://[2001:db8::7]:80"],
)
def test_scheme_in_capitals_and_ipv6_address_pass(ozor: Account, url: str) -> None:
    assert steps.analyze(ozor, url=url)["sourceUrl"] == url


@pytest.mark.clause("OZ-217")
@pytest.mark.parametrize("url", ["HTTPS://example.com/a.png", "https://[2001:db8::7]/a.png"])
def test_media_address_may_have_the_same_forms(ozor: Account, url: str) -> None:
    assert send(ozor, images=[{"url": url}]).status == 200


@pytest.mark.parametrize("url", ["https://[", "https://[]/", "https://[example]/", "HTTP:/a"])
def test_broken_address_is_refused(ozor: Account, url: str) -> None:
    refused = ozor.client.post(steps.ANALYZE, form={"url": url})

    assert steps.refusal(refused) == (400, "validation")
