"""The unmodified Python libraries of other people: openai, newest and 2.24.0, and litellm.

openai up to 2.26.0 creates with JSON, later ones always with a form.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps
from .live import LiveMock, live_mock, run_script
from .sdk_install import python_with

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

SCRIPT = Path(__file__).with_name("sdk_python_client.py")
LITELLM_SCRIPT = Path(__file__).with_name("sdk_litellm_client.py")
NEWEST, WITH_JSON, LITELLM = "openai", "openai==2.24.0", "litellm==1.80.15"


@pytest.fixture(scope="module")
def mock() -> Iterator[LiveMock]:
    with live_mock() as served:
        yield served


@pytest.fixture
def world(mock: LiveMock) -> MockWorld:
    """A world in which a poll moves the clock, so that nothing is waited for."""
    return mock.world()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[NEWEST, WITH_JSON])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tell(
    mock: LiveMock, account: Account, library: str, story: str, kind: str, version: str = "/v1"
) -> Json:
    """The result of a story that *library* plays at an address with or without /v1."""
    variables = {
        "OPENAI_BASE_URL": f"{mock.origin}/w/{account.world.id}/znapai{version}",
        "OPENAI_API_KEY": account.api_key,
        "PICTURE": str(Path(__file__).parents[2] / "fixtures" / "media" / "page-960x540.png"),
    }
    return run_script(python_with(library), SCRIPT, story, kind, variables=variables)


def sent_types(account: Account) -> set[str]:
    """The content types of the calls that created videos."""
    return {
        line["request"]["headers"]["content-type"].partition(";")[0]
        for line in account.world.requests()
        if line["operation"] == "createVideo"
    }


@pytest.mark.clause("ZN-056", "ZN-058", "ZN-059", "ZN-060")
def test_newest_openai_creates_and_polls(mock: LiveMock, znapai: Account, kind: str) -> None:
    detail = tell(mock, znapai, NEWEST, "jobs", kind)

    check_jobs(detail)
    assert sent_types(znapai) == {"multipart/form-data"}


@pytest.mark.clause("ZN-057", "ZN-058", "ZN-059", "ZN-060")
def test_openai_2_24_creates_and_polls(mock: LiveMock, znapai: Account, kind: str) -> None:
    detail = tell(mock, znapai, WITH_JSON, "jobs", kind)

    check_jobs(detail)
    assert detail["version"] == "2.24.0"
    assert sent_types(znapai) == {"application/json", "multipart/form-data"}


def check_jobs(detail: Json) -> None:
    """What every version must have given for the story of the jobs."""
    made, polled = detail["made"], detail["polled"]
    assert set(made) == set(polled) == steps.FIELDS
    assert (made["status"], made["seconds"], made["size"]) == ("queued", "8", "1280x720")
    assert detail["read_id"] == made["id"]
    assert (polled["id"], polled["status"], polled["progress"]) == (made["id"], "completed", 100)
    assert detail["with_file"] == "completed"
    assert detail["with_metadata"][1] == "queued"
    assert detail["failed"] == [
        "failed",
        "moderation_blocked",
        "The request was blocked by the moderation system.",
    ]


@pytest.mark.clause("ZN-023", "ZN-056", "ZN-057")
def test_metadata_arrives_whole(mock: LiveMock, znapai: Account, library: str) -> None:
    """As JSON, or as a part `metadata[a][b]`."""
    video_id = tell(mock, znapai, library, "jobs", "sync")["with_metadata"][0]

    job = znapai.world.control.get(f"{znapai.world.path}/jobs/{video_id}").json()

    assert job["details"]["metadata"] == {"a": {"b": "c"}}


@pytest.mark.clause("ZN-061")
def test_poll_waits_as_long_as_the_header_says(mock: LiveMock, znapai: Account) -> None:
    """Without the header the library waits a second between two polls."""
    znapai.world.choose(znapai__poll_after="ten_ms")
    detail = tell(mock, znapai, NEWEST, "jobs", "sync")["poll_lasts_s"]
    znapai.world.choose(znapai__poll_after="absent")

    untold = tell(mock, znapai, NEWEST, "jobs", "sync")["poll_lasts_s"]

    assert untold - detail > 0.5


@pytest.mark.clause("ZN-062", "ZN-050", "ZN-052")
def test_openai_downloads_every_variant(
    mock: LiveMock, znapai: Account, library: str, kind: str
) -> None:
    detail = tell(mock, znapai, library, "files", kind)

    types = {name: detail[name][0] for name in ("video", "thumbnail", "spritesheet")}
    begins = {name: bytes.fromhex(detail[name][1]) for name in types}
    assert types == {
        "video": "video/mp4",
        "thumbnail": "image/webp",
        "spritesheet": "image/jpeg",
    }
    assert begins["video"][4:] == b"ftyp"
    assert begins["thumbnail"][:4] == b"RIFF"
    assert begins["spritesheet"][:3] == b"\xff\xd8\xff"


@pytest.mark.clause("ZN-063", "ZN-064", "ZN-065")
def test_openai_lists_remixes_and_deletes(
    mock: LiveMock, znapai: Account, library: str, kind: str
) -> None:
    detail = tell(mock, znapai, library, "lists", kind)

    made = detail["made"]
    assert detail["pages"] == [made[:2], made[2:4], made[4:]]
    assert detail["remix"][1:] == [made[0], "queued"]
    assert detail["deleted"] == {"id": made[1], "object": "video.deleted", "deleted": True}
    assert detail["left"] == [detail["remix"][0], made[4], made[3], made[2], made[0]]


@pytest.mark.clause("ZN-066", "ZN-067")
def test_errors_are_the_librarys_own(
    mock: LiveMock, znapai: Account, library: str, kind: str
) -> None:
    detail = tell(mock, znapai, library, "errors", kind)

    wrapped = "litellm.BadRequestError: litellm.ContentPolicyViolationError"
    assert detail["size"] == ["BadRequestError", 400, "400", wrapped]
    assert detail["duration"] == ["BadRequestError", 400, "400", wrapped]
    assert detail["model"][:3] == ["BadRequestError", 400, "400"]
    assert detail["key"][:3] == ["AuthenticationError", 401, "401"]
    assert detail["id"][:3] == ["NotFoundError", 404, None]


@pytest.mark.clause("ZN-066")
def test_upstream_429_is_a_rate_limit_error(
    mock: LiveMock, znapai: Account, library: str, kind: str
) -> None:
    fault = {"type": "http_error", "attributes": {"status": 429, "retry_after_s": 1}}
    znapai.world.control.post(f"{znapai.world.path}/faults", json=fault)

    detail = tell(mock, znapai, library, "rate_limit", kind)

    assert detail["limited"][:3] == ["RateLimitError", 429, "429"]


@pytest.mark.clause("ZN-068", "ZN-001")
def test_address_without_version_works_too(mock: LiveMock, znapai: Account, library: str) -> None:
    detail = tell(mock, znapai, library, "jobs", "sync", version="")

    assert detail["polled"]["status"] == "completed"


@pytest.mark.clause("ZN-069")
@pytest.mark.parametrize("version", ["/v1", ""])
def test_litellm_generates_reads_and_downloads(
    mock: LiveMock, znapai: Account, version: str
) -> None:
    address = f"{mock.origin}/w/{znapai.world.id}/znapai{version}"
    variables = {
        "API_BASE": address,
        "API_KEY": znapai.api_key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }

    detail = run_script(python_with(LITELLM), LITELLM_SCRIPT, variables=variables)

    assert detail["statuses"] == ["queued", "in_progress", "completed"]
    assert detail["begins"] == "66747970"
    assert detail["error"] == "BadRequestError"
