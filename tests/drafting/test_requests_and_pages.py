"""What drafted answers show of the request that made a job, and of the page that a list is."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.drafting.draft import Draft
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document

from ..mock_client import Account
from .lamp import DOCUMENT, served, verified, write_document


def _body(document: Json) -> Json:
    sent = document["paths"]["/v1/videos"]["post"]["requestBody"]["content"]["application/json"]
    return sent["schema"]


def _video(document: Json) -> Json:
    return document["components"]["schemas"]["Video"]["properties"]


def _list(document: Json) -> Json:
    return document["paths"]["/v1/videos"]["get"]


def _draft(tmp_path: Path, document: Json) -> Draft:
    return draft_contract("lamp", read_document(write_document(tmp_path, document)))


def _served(tmp_path: Path, document: Json) -> Account:
    path = write_document(tmp_path, document)
    draft = draft_contract("lamp", read_document(path))
    return served(write_contract(tmp_path / "lamp", path.read_text(), draft).folder)


def _made(lamp: Account, **body: Json) -> Json:
    return lamp.client.post("/v1/videos", json={"prompt": "a lamp", **body}).json()


def test_an_optional_field_without_an_example_is_left_out_like_in_the_request(
    tmp_path: Path,
) -> None:
    """Its name may be a word that CEL reserves, which Luma's `loop` is."""
    document: Json = deepcopy(DOCUMENT)
    for fields in (_body(document)["properties"], _video(document)):
        fields |= {"loop": {"type": "boolean"}, "note": {"type": ["string", "null"]}}
    document["openapi"] = "3.1.0"
    lamp = _served(tmp_path, document)

    bare, full = _made(lamp), _made(lamp, loop=False, note="warm")

    assert ("loop" in bare, bare["note"]) == (False, None)
    assert (full["loop"], full["note"]) == (False, "warm")


def test_a_field_for_the_request_shows_all_of_it(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    _body(document)["properties"]["seconds"] = {"type": "integer", "minimum": 1}
    _video(document)["request"] = deepcopy(_body(document))
    lamp = _served(tmp_path, document)

    made = _made(lamp, seconds=9)

    assert made["request"] == {"prompt": "a lamp", "seconds": 9}


def test_a_field_for_the_request_that_is_narrower_shows_none(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    fields = {"prompt": {"type": "string", "maxLength": 20, "example": "a river"}}
    _video(document)["request"] = {"type": "object", "properties": fields}

    view = _draft(tmp_path, document).rules["resources"]["video"]["view"]

    assert view["request"] == {"prompt": "$input.prompt"}


def test_a_request_without_a_body_shows_no_field_of_it(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    del document["paths"]["/v1/videos"]["post"]["requestBody"]["required"]
    lamp = _served(tmp_path, document)

    made = lamp.client.post("/v1/videos")

    assert (made.status, "prompt" in made.json()) == (201, False)


def test_a_request_without_further_fields_passes_its_own_verification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    document: Json = deepcopy(DOCUMENT)
    _body(document)["additionalProperties"] = False
    path = write_document(tmp_path, document)
    draft = draft_contract("lamp", read_document(path))

    folder = write_contract(tmp_path / "lamp", path.read_text(), draft).folder

    assert verified(folder, monkeypatch) == Exit.OK, capfd.readouterr().out


def test_fields_that_are_null_by_default_are_those_of_a_job(tmp_path: Path) -> None:
    """As pydantic writes optional fields."""
    document: Json = deepcopy(DOCUMENT)
    document["openapi"] = "3.1.0"
    fields = _video(document)
    for name in ("id", "status"):
        plain = {key: it for key, it in fields[name].items() if key != "example"}
        fields[name] = {"anyOf": [plain, {"type": "null"}], "default": None}
    document["components"]["schemas"]["Video"]["required"] = []

    lamp = _served(tmp_path, document)

    assert _made(lamp)["status"] == "queued"


@pytest.mark.parametrize(
    ("description", "is_file"),
    [
        ("The URL of the video", True),
        ("Signed download URL", True),
        ("a video, whose URL ends", False),
    ],
)
def test_a_description_says_that_a_text_is_an_address(
    tmp_path: Path, description: str, *, is_file: bool
) -> None:
    document: Json = deepcopy(DOCUMENT)
    assets = {"video": {"type": "string", "description": description}}
    _video(document)["assets"] = {"type": "object", "properties": assets}

    view = _draft(tmp_path, document).rules["resources"]["video"]["view"]

    found = view["when"]["done"].get("assets", view.get("assets"))
    assert found == {"video": "$url.video" if is_file else "string"}


_NUMBER: Json = {"type": "integer", "minimum": 1}


def _parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


@pytest.mark.parametrize(
    ("parameters", "fields", "page", "answer"),
    [
        (
            [_parameter("limit", {**_NUMBER, "default": 5}), _parameter("offset", _NUMBER)],
            {"total": {"type": "integer"}, "count": {"type": "integer"}, "limit": _NUMBER},
            {"limit": "$query.limit", "offset": "$query.?offset.orValue(0)"},
            {"total": "$total", "count": "$size(items)", "limit": "$query.limit"},
        ),
        (
            [_parameter("page", _NUMBER), _parameter("perPage", _NUMBER)],
            {"page": _NUMBER},
            {
                "limit": "$query.?perPage.orValue(20)",
                "offset": "$(query.?page.orValue(1) - 1) * query.?perPage.orValue(20)",
            },
            {"page": "$query.?page.orValue(1)"},
        ),
        (
            [_parameter("cursor", {"type": "string"})],
            {"next_cursor": {"type": "string", "nullable": True}},
            {"limit": 20, "after": "$query.cursor"},
            {"next_cursor": "$has_more ? items.last().id : null"},
        ),
    ],
)
def test_pages_are_those_of_the_parameters(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parameters: Json,
    fields: Json,
    page: Json,
    answer: Json,
) -> None:
    document: Json = deepcopy(DOCUMENT)
    listed = _list(document)
    listed["parameters"] = parameters
    schema = listed["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"] |= fields
    path = write_document(tmp_path, document)
    draft = draft_contract("lamp", read_document(path))

    rules = draft.rules["operations"]["listVideos"]
    folder = write_contract(tmp_path / "lamp", path.read_text(), draft).folder

    assert rules["page"] == page
    assert rules["answer"] == {"items": "$items", "has_more": "$has_more", **answer}
    assert verified(folder, monkeypatch) == Exit.OK


def test_a_drafted_list_is_read_page_by_page(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    listed = _list(document)
    listed["parameters"] = [_parameter("limit", {}), _parameter("after", {"type": "string"})]
    listed["parameters"][0]["schema"] = {"type": "integer"}
    schema = listed["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["next"] = {"type": "string", "nullable": True}
    lamp = _served(tmp_path, document)
    made = [_made(lamp)["id"] for _ in range(3)]

    first = lamp.client.get("/v1/videos?limit=2").json()
    second = lamp.client.get(f"/v1/videos?limit=2&after={first['next']}").json()
    negative = lamp.client.get("/v1/videos?limit=-4")

    assert [it["id"] for it in first["items"]] == [made[2], made[1]]
    assert [it["id"] for it in second["items"]] == [made[0]]
    assert (first["has_more"], second["has_more"], second["next"]) == (True, False, None)
    assert (negative.status, negative.json()["items"]) == (200, [])
