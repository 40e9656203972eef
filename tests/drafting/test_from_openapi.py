"""`screentest new` with an OpenAPI file: what is guessed, and that the result is served."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.drafting.draft import Draft
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.forms import form_of
from screentest.specs.drafting.words import kind_of_state
from screentest.specs.drafting.writing import behaviour_text, write_contract
from screentest.specs.errors import ContractError, UnknownNameError
from screentest.specs.json_types import Json
from screentest.specs.linting.lint import problems_of
from screentest.specs.openapi.document_file import read_document

from ..contracts.openapi_documents import documents
from ..mock_client import MINUTE_MS
from .lamp import DOCUMENT, enveloped, served, verified, write_document

_LAMP = """\
# yaml-language-server: $schema=behaviour.schema.json
# What lamp does beyond its OpenAPI file, drafted by `screentest new`. Check each guess.

behaviour: 1

provider: {id: lamp}

accounts:
  # guessed: 1000 credits for a new account, because a test should not run out
  initial_credits: 1000

refusals:
  # guessed: this order, because most providers judge so
  order: [authentication, body, validation, existence, content, credits]
  # guessed: a job of another account is a 404, because most providers hide it
  foreign: hide
  # guessed: one form for all, because documented errors have it
  body: {message: $message}

lifecycles:
  video:
    # guessed: these states, because its schema lists them
    states:
      # guessed: waiting, because of its name; its duration because nothing says another one
      queued: {kind: waiting, lasts_ms: [1000, 5000]}
      # guessed: running, because of its name; its duration because nothing says another one
      rendering: {kind: running, lasts_ms: [20000, 60000]}
      # guessed: succeeded, because of its name
      done: {kind: succeeded}
      # guessed: failed, because of its name
      failed: {kind: failed}
      # guessed: closed, because of its name
      canceled: {kind: closed}
    # guessed: these edges, because jobs pass through the kinds
    edges:
      queued: [rendering, canceled]
      rendering: [done, failed, canceled]
      done: []
      failed: []
      canceled: []

resources:
  video:
    # guessed: vid_{hex:8}, because the example is 'vid_7f3a91c0'
    id: vid_{hex:8}
    lifecycle: video
    # guessed: what these fields show, because their names say so
    view:
      id: $id
      status: $state
      error: null
      downloads: []
      prompt: $input.prompt
      created_at: $created.iso
      credits_charged: $doc.cost
      when:
        done: {downloads: [{url: $url.video}]}
        failed: {error: {message: $reason}, credits_charged: 0}

operations:
  # guessed: it creates a video, because its answer has an id, and /v1/videos/{id} takes one
  createVideo:
    effect: billable
    does: create
    starts: video
    # guessed: 40 credits, because the example of 'credits_charged' has it
    price: {amount: 40, moment: acceptance}
  getVideo: {effect: read, does: read, acts_on: [{resource: video, id: path.id}]}
  # guessed: it lists each video, because it reads /v1/videos
  listVideos:
    effect: read
    does: list
    starts: video
    answer: {items: $items, has_more: $has_more}
  # guessed: it deletes a video, because it deletes /v1/videos/{id}
  deleteVideo: {effect: destructive, does: delete, acts_on: [{resource: video, id: path.id}]}

urls:
  # guessed: files never expire, because no lifetime is known
  video: {path: '{id}/video.mp4', lives_ms: null}

# guessed: size, rate and length, because nothing names them
media: {size: [1280, 720], fps: 24, duration_s: 4}

# Not known:
# what else changes with time; these answer examples: listVoices
"""


def _draft(tmp_path: Path, document: Json = DOCUMENT, *only: str) -> Draft:
    read = read_document(write_document(tmp_path, document))
    return draft_contract("lamp", read, only=only)


def _written(tmp_path: Path, document: Json = DOCUMENT) -> Path:
    path = write_document(tmp_path, document)
    draft = draft_contract("lamp", read_document(path))
    write_contract(tmp_path / "lamp", path.read_text(), draft)
    return tmp_path / "lamp"


def test_everything_that_the_file_shows_is_drafted(tmp_path: Path) -> None:
    assert behaviour_text(_draft(tmp_path)) == _LAMP


def test_each_guess_says_why(tmp_path: Path) -> None:
    draft = _draft(tmp_path)

    assert draft.notes
    assert [it for it in draft.notes.values() if not re.match(r"guessed: .+ because .+", it)] == []


@pytest.mark.parametrize("document", [DOCUMENT, enveloped()], ids=["plain", "enveloped"])
def test_a_drafted_job_runs_fails_and_is_paid(tmp_path: Path, document: Json) -> None:
    lamp = served(_written(tmp_path, document))
    is_plain = document is DOCUMENT

    made = [lamp.client.post("/v1/videos", json={"prompt": it}) for it in ("a lamp", "a dog")]
    ids = [(it.json() if is_plain else it.json()["data"])["id"] for it in made]
    lamp.world.fail_job(ids[1], "too dark")
    money = lamp.money
    lamp.world.advance(2 * MINUTE_MS)
    read = [lamp.client.get(f"/v1/videos/{it}").json() for it in ids]
    done, failed = read if is_plain else (it["data"] for it in read)
    video = lamp.client.follow(done["downloads"][0]["url"])

    assert [it.status for it in made] == [201, 201]
    assert (money, lamp.money) == ((920, 0, 80), (960, 0, 40))
    assert (done["status"], done["prompt"], done["credits_charged"]) == ("done", "a lamp", 40)
    assert (video.status, video.headers["content-type"]) == (200, "video/mp4")
    assert (failed["status"], failed["error"], failed["downloads"]) == (
        "failed",
        {"message": "too dark"},
        [],
    )


def test_a_drafted_list_has_the_jobs_and_a_deleted_one_is_gone(tmp_path: Path) -> None:
    lamp = served(_written(tmp_path))
    made = lamp.client.post("/v1/videos", json={"prompt": "a lamp"}).json()

    before = lamp.client.get("/v1/videos").json()
    deleted = lamp.client.delete(f"/v1/videos/{made['id']}")
    after = lamp.client.get(f"/v1/videos/{made['id']}")

    assert ([it["id"] for it in before["items"]], before["has_more"]) == ([made["id"]], False)
    assert (deleted.status, deleted.content) == (204, b"")
    assert (after.status, list(after.json())) == (404, ["message"])


def test_a_list_of_other_elements_is_a_question(tmp_path: Path) -> None:
    """In an envelope the view would be the whole answer, so it is what is inside."""
    document = enveloped()
    listed = document["paths"]["/v1/videos"]["get"]["responses"]["200"]["content"]
    schema = listed["application/json"]["schema"]
    schema["properties"]["items"]["items"] = {
        "type": "object",
        "required": ["id", "rank"],
        "properties": {"id": {"type": "string"}, "rank": {"type": "integer"}},
    }

    draft = _draft(tmp_path, document)

    assert "listVideos" not in draft.rules["operations"]
    assert "how listVideos lists each video" in draft.unknown


def test_only_the_named_operations_are_drafted(tmp_path: Path) -> None:
    draft = _draft(tmp_path, DOCUMENT, "*Video")

    assert list(draft.rules["operations"]) == ["createVideo", "getVideo", "deleteVideo"]


def test_an_unknown_operation_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no operation 'getVidio'; did you mean 'getVideo'"):
        _draft(tmp_path, DOCUMENT, "getVidio")


def test_a_file_without_a_job_asks_for_it(tmp_path: Path) -> None:
    draft = _draft(tmp_path, DOCUMENT, "listVoices")

    assert "lifecycles" not in draft.rules
    assert "which operation starts a job, and which one reads it" in draft.unknown


def test_texts_of_the_file_are_not_taken_for_facts(tmp_path: Path) -> None:
    """`$5` and `{id}` would be filled in by a template."""
    document: Json = enveloped()
    document["components"]["schemas"]["Video"]["properties"] |= {
        "fee": {"type": "string", "example": "$5"},
        "hint": {"type": "string", "example": "see {id}"},
        "sum": {"enum": ["$1"]},
    }

    view = _draft(tmp_path, document).rules["resources"]["video"]["view"]

    assert (view["fee"], view["hint"]) == ("a text", "a text")
    assert "sum" not in view


def test_a_field_of_the_request_is_shown_where_its_schema_fits(tmp_path: Path) -> None:
    """An optional one with the value of the file beside it; one of another type not at all."""
    document: Json = deepcopy(DOCUMENT)
    sent = document["paths"]["/v1/videos"]["post"]["requestBody"]["content"]["application/json"]
    sent["schema"]["properties"] |= {
        "seconds": {"type": "integer", "minimum": 1},
        "mood": {"type": "string"},
        "size": {"type": "string", "enum": ["hd", "4k"]},
    }
    document["components"]["schemas"]["Video"]["properties"] |= {
        "seconds": {"type": "integer", "example": 4},
        "mood": {"type": "string", "enum": ["dark"]},
        "size": {"type": "string", "enum": ["hd", "4k", "8k"]},
    }

    view = _draft(tmp_path, document).rules["resources"]["video"]["view"]

    assert view["seconds"] == "$has(input.seconds) ? input.seconds : 4"
    assert view["mood"] == "dark"
    assert view["size"] == '$has(input.size) ? input.size : "hd"'


def test_ids_that_are_numbers_stay_numbers(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Video"]["properties"]["id"] = {"type": "integer"}
    lamp = served(_written(tmp_path, document))

    made = lamp.client.post("/v1/videos", json={"prompt": "a lamp"}).json()
    read = lamp.client.get(f"/v1/videos/{made['id']}").json()

    assert isinstance(made["id"], int)
    assert read["id"] == made["id"]


def test_what_is_made_inside_of_another_resource_needs_it(tmp_path: Path) -> None:
    document: Json = deepcopy(DOCUMENT)
    document["paths"]["/v1/videos/{id}/cuts"] = {
        "post": {
            "operationId": "cutVideo",
            "responses": document["paths"]["/v1/videos"]["post"]["responses"],
        }
    }
    document["paths"]["/v1/videos/{id}/cuts/{cut_id}"] = {
        "get": {
            "operationId": "getCut",
            "responses": document["paths"]["/v1/videos/{id}"]["get"]["responses"],
        }
    }
    lamp = served(_written(tmp_path, document))

    missing = lamp.client.post("/v1/videos/vid_00000000/cuts")
    made = lamp.client.post("/v1/videos", json={"prompt": "a lamp"}).json()
    cut = lamp.client.post(f"/v1/videos/{made['id']}/cuts").json()
    read = lamp.client.get(f"/v1/videos/{made['id']}/cuts/{cut['id']}")

    assert missing.status == 404
    assert (read.status, read.json()["status"]) == (200, "queued")


@pytest.mark.parametrize("document", [DOCUMENT, enveloped()], ids=["plain", "enveloped"])
def test_a_draft_passes_its_own_verification(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    document: Json,
) -> None:
    assert verified(_written(tmp_path, document), monkeypatch) == Exit.OK, capfd.readouterr().out


def test_nothing_is_left_of_a_draft_with_problems(tmp_path: Path) -> None:
    draft = _draft(tmp_path)
    draft.rules["operations"]["getVideo"]["does"] = "guess"

    with pytest.raises(
        ContractError, match=r"lamp/behaviour.yaml:\d+: at operations/getVideo/does"
    ):
        write_contract(tmp_path / "lamp", "{}", draft)

    assert [it.name for it in tmp_path.iterdir()] == ["vendor.json"]


@pytest.mark.parametrize(
    ("example", "form"),
    [
        ("vid_7f3a91c0", "vid_{hex:8}"),
        ("sk_live_9aZ", "sk_live_{base62:3}"),
        ("c4ca4238-a0b9-3382-8dcc-509a6f75849b", "{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"),
        ("20260101-77", "{digits:8}-{digits:2}"),
        ("abc", "{hex:3}"),
        ("cuid-example", "cuid-{base36:7}"),
    ],
)
def test_the_form_of_ids_is_read_from_one(example: str, form: str) -> None:
    assert form_of(example) == form


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("IN_PROGRESS", "running"),
        ("in_queue", "waiting"),
        ("Succeeded", "succeeded"),
        ("generation_failed", "failed"),
        ("cancelled", "closed"),
        ("dreaming", "running"),
        ("purple", None),
    ],
)
def test_the_kind_of_a_state_is_read_from_its_words(state: str, kind: str | None) -> None:
    found = kind_of_state(state)

    assert (found.value if found is not None else None) == kind


_JOB_NAMES = st.sampled_from(["status", "state", "task_status"])
_ENDS = st.sampled_from([["done", "failed"], ["COMPLETED", "ERROR"], ["succeeded"]])


#: Documents are large, and drawing one takes long.
_NO_HEALTH_CHECKS: Any = list(HealthCheck)
_EXTRA: st.SearchStrategy[Json] = st.sampled_from(
    [{}, {"extra": {"$ref": "#/components/schemas/Video"}}]
)


@pytest.mark.long
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=_NO_HEALTH_CHECKS,
)
@given(documents(), _JOB_NAMES, _ENDS, _EXTRA)
def test_every_document_gives_a_contract_without_problems(
    tmp_path_factory: pytest.TempPathFactory,
    document: Json,
    name: str,
    ends: list[str],
    extra: Json,
) -> None:
    """Beside the drawn operations there is a job, whose answers hold drawn schemas."""
    folder = tmp_path_factory.mktemp("drawn")
    schemas = document["components"]["schemas"]
    schemas["Made"] = {
        "type": "object",
        "required": ["id", name],
        "properties": {
            "id": {"type": "string"},
            name: {"type": "string", "enum": ["queued", "running", *ends]},
            **extra,
        },
    }
    answer = {
        "description": "Made",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Made"}}},
    }
    document["components"]["securitySchemes"]["made"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"made": []}]
    document["paths"]["/jobs"] = {"post": {"operationId": "make", "responses": {"200": answer}}}
    document["paths"]["/jobs/{id}"] = {"get": {"operationId": "look", "responses": {"200": answer}}}
    path = write_document(folder, document)
    try:
        read = read_document(path)
    except ContractError:
        return  # such a document is refused with file and line; test_corpus judges that

    contract = write_contract(folder / "lamp", path.read_text(), draft_contract("lamp", read))

    assert list(problems_of(contract.folder)) == []
