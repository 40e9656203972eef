"""The voices, the analysis of a document, and the plan that it makes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, File
from . import steps

PLAN_FIELDS = {
    "planId",
    "fileName",
    "fileType",
    "sourceUrl",
    "aspectRatio",
    "status",
    "language",
    "style",
    "scenes",
    "projectId",
    "error",
    "createdAt",
    "updatedAt",
    "createdVia",
    "creditsCost",
}
SCENE_FIELDS = {
    "order",
    "sceneTitle",
    "scenePrompt",
    "voiceoverText",
    "imageRefs",
    "keyPoints",
}
#: 2026-01-01T00:00:00Z in seconds.
START_S = 1_767_225_600


@pytest.mark.clause("OZ-154", "OZ-155", "OZ-156", "OZ-157")
def test_voices_are_the_eight_of_the_table(ozor: Account) -> None:
    answer = ozor.client.get(steps.VOICES)

    assert answer.status == 200
    assert set(answer.json()) == {"voices"}
    assert [tuple(voice.items()) for voice in answer.json()["voices"]] == [
        (("id", id), ("label", label), ("gender", gender), ("character", character))
        for id, label, gender, character in (
            ("aria", "Aria", "female", "Clear, precise"),
            ("nova", "Nova", "female", "Warm, natural"),
            ("felix", "Felix", "male", "Playful, upbeat"),
            ("marcus", "Marcus", "male", "Neutral, professional"),
            ("thor", "Thor", "male", "Deep, authoritative"),
            ("luna", "Luna", "female", "Soft, calm"),
            ("owen", "Owen", "male", "Steady, trustworthy"),
            ("sky", "Sky", "neutral", "Light, friendly"),
        )
    ]


@pytest.mark.clause("OZ-158")
def test_analysis_refuses_json(ozor: Account) -> None:
    answer = ozor.client.post(steps.ANALYZE, json={"url": "https://example.com/article"})

    assert steps.refusal(answer) == (400, "validation")
    assert "multipart/form-data" in answer.json()["detail"]
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-158")
@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary in here"),
        ("application/x-www-form-urlencoded", b"url=https%3A%2F%2Fexample.com"),
        ("text/plain", b"hello"),
    ],
)
def test_analysis_refuses_a_body_other_than_a_form(
    ozor: Account, content_type: str, raw: bytes
) -> None:
    answer = ozor.client.post(steps.ANALYZE, raw=raw, headers={"Content-Type": content_type})

    assert steps.refusal(answer) == (400, "validation")
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-159")
@pytest.mark.parametrize("form", [{"prompt": "Short"}, {"target_duration_sec": "30"}])
def test_analysis_of_nothing_is_400(ozor: Account, form: dict[str, str]) -> None:
    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert steps.refusal(answer) == (400, "validation")
    assert "file" in answer.json()["detail"]
    assert "url" in answer.json()["detail"]


@pytest.mark.clause("OZ-160")
def test_analysis_of_file_and_url_at_once_is_400(ozor: Account) -> None:
    form = {"file": steps.pdf(), "url": "https://example.com/article"}

    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json()["detail"] == "Provide exactly one of file and url; got file and url."
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-159", "OZ-162")
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"file": "hello"}, "file"),
        ({"url": File("a.txt", b"https://example.com/", "text/plain")}, "url"),
        ({"file": steps.pdf(), "prompt": File("a.txt", b"Short", "text/plain")}, "prompt"),
    ],
    ids=["text for a file", "file for an address", "file for guidance"],
)
def test_part_of_the_wrong_kind_is_400(
    ozor: Account, form: dict[str, str | File], field: str
) -> None:
    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json()["detail"].startswith(f"{field}: ")


@pytest.mark.clause("OZ-161", "OZ-172")
@pytest.mark.parametrize(
    ("file", "file_type"),
    [(steps.pdf(), "pdf"), (steps.pptx(), "pptx"), (steps.docx(), "docx")],
    ids=["pdf", "pptx", "docx"],
)
def test_documented_file_types_pass(ozor: Account, file: File, file_type: str) -> None:
    plan = steps.analyze(ozor, file=file)

    assert (plan["fileName"], plan["fileType"], plan["sourceUrl"]) == (file.name, file_type, None)


@pytest.mark.clause("OZ-162", "OZ-225")
@pytest.mark.parametrize(
    "file",
    [
        File("notes.txt", b"hello", "text/plain"),
        File("picture.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        File("deck.ppt", b"\xd0\xcf\x11\xe0", "application/vnd.ms-powerpoint"),
        File("sheet.xlsx", steps.office_bytes("xl/workbook.xml"), "application/zip"),
        File("page.html", b"<html></html>", "text/html"),
    ],
    ids=lambda file: file.name if isinstance(file, File) else None,
)
def test_other_file_types_are_400(ozor: Account, file: File) -> None:
    answer = ozor.client.post(steps.ANALYZE, form={"file": file})

    assert steps.refusal(answer) == (400, "validation")
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-163")
def test_file_of_exactly_50_megabytes_passes(ozor: Account) -> None:
    file = File("large.pdf", steps.pdf_bytes(52_428_800), steps.PDF_TYPE)

    assert steps.analyze(ozor, file=file)["fileType"] == "pdf"


@pytest.mark.clause("OZ-163", "OZ-225")
def test_file_of_one_byte_more_is_400(ozor: Account) -> None:
    file = File("large.pdf", steps.pdf_bytes(52_428_801), steps.PDF_TYPE)

    answer = ozor.client.post(steps.ANALYZE, form={"file": file})

    assert steps.refusal(answer) == (400, "validation")
    assert "52428800" in answer.json()["detail"]
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-164", "OZ-173")
@pytest.mark.parametrize("url", ["https://example.com/article?a=1", "http://example.com/"])
def test_web_address_passes_and_is_remembered(ozor: Account, url: str) -> None:
    assert steps.analyze(ozor, url=url)["sourceUrl"] == url


@pytest.mark.clause("OZ-164", "OZ-225")
@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/a.pdf", "file:///etc/passwd", "example.com", "https://", "http:", "HTTPS"],
)
def test_other_address_is_400(ozor: Account, url: str) -> None:
    answer = ozor.client.post(steps.ANALYZE, form={"url": url})

    assert steps.refusal(answer) == (400, "validation")
    assert answer.json() == {"detail": f"url: expected an http:// or https:// URL, got {url!r}"}
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-165", "OZ-166")
def test_target_is_30_seconds_unless_given_and_more_makes_more_scenes(ozor: Account) -> None:
    unsaid = steps.analyze(ozor)
    thirty = steps.analyze(ozor, target_duration_sec="30")
    ninety = steps.analyze(ozor, target_duration_sec="90")
    ten = steps.analyze(ozor, target_duration_sec="10")

    counts = [len(plan["scenes"]) for plan in (ten, unsaid, thirty, ninety)]

    assert counts == [2, 6, 6, 18]


@pytest.mark.clause("OZ-165", "OZ-225")
@pytest.mark.parametrize("target", ["soon", "1.5", "30s", "0x1e"])
def test_target_is_an_integer(ozor: Account, target: str) -> None:
    form = {"file": steps.pdf(), "target_duration_sec": target}

    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert steps.refusal(answer) == (400, "validation")
    assert "target_duration_sec" in answer.json()["detail"]
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-167")
@pytest.mark.parametrize("form", [{}, {"prompt": "For beginners, in a calm tone"}])
def test_guidance_may_be_left_out(ozor: Account, form: dict[str, str]) -> None:
    assert steps.analyze(ozor, **form)["status"] == "draft"


@pytest.mark.clause("OZ-168")
@pytest.mark.parametrize(
    ("form", "shown"),
    [({}, "16:9"), ({"aspect_ratio": "16:9"}, "16:9"), ({"aspect_ratio": "9:16"}, "9:16")],
)
def test_aspect_ratio_is_wide_unless_upright_is_asked_for(
    ozor: Account, form: dict[str, str], shown: str
) -> None:
    assert steps.analyze(ozor, **form)["aspectRatio"] == shown


@pytest.mark.clause("OZ-168", "OZ-225")
@pytest.mark.parametrize("aspect_ratio", ["1:1", "16x9", " ", "wide"])
def test_other_aspect_ratio_is_400(ozor: Account, aspect_ratio: str) -> None:
    form = {"file": steps.pdf(), "aspect_ratio": aspect_ratio}

    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert steps.refusal(answer) == (400, "validation")
    assert "aspect_ratio" in answer.json()["detail"]


@pytest.mark.clause("OZ-169", "OZ-171", "OZ-174", "OZ-176")
def test_analysis_answers_a_draft_plan(ozor: Account) -> None:
    answer = ozor.client.post(steps.ANALYZE, form={"file": steps.pdf()})

    assert answer.status == 200
    assert set(answer.json()) == {"plan"}
    plan = answer.json()["plan"]
    assert set(plan) == PLAN_FIELDS
    assert (plan["status"], plan["projectId"], plan["error"]) == ("draft", None, None)
    assert plan["createdVia"] == "api"


@pytest.mark.clause("OZ-170")
def test_plan_id_has_its_documented_form(ozor: Account) -> None:
    assert re.fullmatch(r"plan_[0-9a-f]{12}", steps.analyze(ozor)["planId"])


@pytest.mark.clause("OZ-175")
def test_plan_is_dated_in_seconds(ozor: Account) -> None:
    ozor.world.advance(90_000)
    made = steps.analyze(ozor)
    ozor.world.advance(60_000)
    edited = steps.update_plan(ozor, made["planId"], scenes=steps.scenes(2))

    assert (made["createdAt"], made["updatedAt"]) == (START_S + 90, START_S + 90)
    assert (edited["createdAt"], edited["updatedAt"]) == (START_S + 90, START_S + 150)


@pytest.mark.clause("OZ-177")
def test_style_has_its_four_fields(ozor: Account) -> None:
    style = steps.analyze(ozor)["style"]

    assert set(style) == {"colors", "fonts", "tone", "layout"}
    assert all(re.fullmatch(r"#[0-9A-F]{6}", color) for color in style["colors"])
    assert all(isinstance(font, str) for font in style["fonts"])


@pytest.mark.clause("OZ-178")
def test_scenes_have_their_fields_and_are_counted_from_1(ozor: Account) -> None:
    scenes = steps.analyze(ozor)["scenes"]

    assert [set(scene) for scene in scenes] == [SCENE_FIELDS] * 6
    assert [scene["order"] for scene in scenes] == [1, 2, 3, 4, 5, 6]
    for reference in (image for scene in scenes for image in scene["imageRefs"]):
        assert set(reference) == {"storagePath", "url"}


@pytest.mark.clause("OZ-179", "OZ-052")
def test_six_scenes_of_the_default_cost_3(ozor: Account) -> None:
    assert steps.analyze(ozor)["creditsCost"] == 3


@pytest.mark.clause("OZ-181", "OZ-226")
def test_address_that_cannot_be_fetched_is_500_and_free(ozor: Account) -> None:
    form = {
        "url": "https://example.com/",
        "prompt": "[[screentest:fail=the page answered 404]]",
    }

    failed = ozor.client.post(steps.ANALYZE, form=form)

    assert failed.status == 500
    assert "the page answered 404" in failed.json()["detail"]
    assert ozor.money[0] == 10


@pytest.mark.clause("OZ-181", "OZ-182", "OZ-226")
@pytest.mark.parametrize("form", [{"url": "https://example.com/"}, {"file": steps.pdf()}])
def test_analysis_that_fails_is_500_and_may_be_tried_again(
    ozor: Account, form: dict[str, str | File]
) -> None:
    steps.fault(ozor.world, "http_error", "analyzeDocument", status=500)

    failed = ozor.client.post(steps.ANALYZE, form=form)
    left_after_failure = ozor.money[0]
    tried_again = ozor.client.post(steps.ANALYZE, form=form)

    assert failed.status == 500
    assert isinstance(failed.json()["detail"], str)
    assert left_after_failure == 10
    assert tried_again.status == 200


@pytest.mark.clause("OZ-182")
def test_guidance_can_ask_for_a_failed_analysis(ozor: Account) -> None:
    form = {"file": steps.pdf(), "prompt": "[[screentest:fail=the document is encrypted]]"}

    answer = ozor.client.post(steps.ANALYZE, form=form)

    assert answer.status == 500
    assert "the document is encrypted" in answer.json()["detail"]


@pytest.mark.clause("OZ-183")
def test_plan_reads_as_it_was_answered(ozor: Account) -> None:
    """Only the addresses of the images are new."""
    made = steps.analyze(ozor)

    read = steps.accepted(ozor.client.get(steps.plan_path(made["planId"])))

    assert set(read) == {"plan"}
    assert _without_image_urls(read["plan"]) == _without_image_urls(made)


@pytest.mark.clause("OZ-184")
def test_image_urls_are_new_on_every_read_and_work(ozor: Account) -> None:
    plan_id = steps.analyze(ozor, target_duration_sec="60")["planId"]

    first, second = _images(steps.plan(ozor, plan_id)), _images(steps.plan(ozor, plan_id))

    assert len(first) > 0
    assert [image["storagePath"] for image in first] == [image["storagePath"] for image in second]
    assert not {image["url"] for image in first} & {image["url"] for image in second}
    shown = ozor.client.follow(second[0]["url"])
    assert (shown.status, shown.content[1:4]) == (200, b"PNG")


@pytest.mark.clause("OZ-184")
def test_image_url_is_short_lived(ozor: Account) -> None:
    plan_id = steps.analyze(ozor)["planId"]
    url = str(_images(steps.plan(ozor, plan_id))[0]["url"])
    ozor.world.advance(24 * 3_600_000)

    assert ozor.client.follow(url).status == 403
    assert urlsplit(url).query


@pytest.mark.clause("OZ-185")
def test_unknown_plan_is_404_and_foreign_plan_403(ozor: Account, neighbour: Account) -> None:
    theirs = steps.analyze(neighbour)["planId"]

    unknown = ozor.client.get(steps.plan_path(steps.NO_PLAN))
    foreign = ozor.client.get(steps.plan_path(theirs))

    assert steps.refusal(unknown) == (404, "not_found")
    assert steps.refusal(foreign) == (403, "ownership")


@pytest.mark.clause("OZ-182", "OZ-183")
def test_same_document_gives_the_same_scenes(ozor: Account) -> None:
    first, second = steps.analyze(ozor), steps.analyze(ozor)

    assert first["planId"] != second["planId"]
    assert [s["voiceoverText"] for s in first["scenes"]] == [
        s["voiceoverText"] for s in second["scenes"]
    ]


def _images(plan: Json) -> list[Json]:
    return [image for scene in plan["scenes"] for image in scene["imageRefs"]]


def _without_image_urls(plan: Json) -> Json:
    scenes = [
        {**scene, "imageRefs": [image["storagePath"] for image in scene["imageRefs"]]}
        for scene in plan["scenes"]
    ]
    return {**plan, "scenes": scenes}
