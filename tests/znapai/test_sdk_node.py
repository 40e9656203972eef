"""The unmodified openai library of Node.js, which always creates with a form."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps
from .live import LiveMock, live_mock, run_script
from .sdk_install import node_folder_with

pytestmark = [pytest.mark.npm, pytest.mark.sdk, pytest.mark.slow]

SCRIPT = Path(__file__).with_name("sdk_node_client.mjs")
PICTURE = Path(__file__).parents[2] / "fixtures" / "media" / "page-960x540.png"


@pytest.fixture(scope="module")
def mock() -> Iterator[LiveMock]:
    with live_mock() as served:
        yield served


@pytest.fixture
def world(mock: LiveMock) -> MockWorld:
    """A world in which a poll moves the clock, so that nothing is waited for."""
    return mock.world()


@pytest.fixture(params=["/v1", ""])
def detail(mock: LiveMock, znapai: Account, request: pytest.FixtureRequest) -> Json:
    """What the script printed, with the address with and without /v1."""
    folder = node_folder_with("openai")
    node = shutil.which("node")
    assert node is not None
    variables = {
        "OPENAI_BASE_URL": f"{mock.origin}/w/{znapai.world.id}/znapai{request.param}",
        "OPENAI_API_KEY": znapai.api_key,
        "SDK_FOLDER": str(folder),
        "PICTURE": str(PICTURE),
    }
    return run_script(node, SCRIPT, variables=variables)


@pytest.mark.clause("ZN-070", "ZN-062", "ZN-063", "ZN-064", "ZN-065", "ZN-066", "ZN-068")
def test_openai_node_does_everything_it_can(znapai: Account, detail: Json) -> None:
    made = detail["made"]
    assert set(made) == steps.FIELDS
    assert (made["status"], made["seconds"], made["size"]) == ("queued", "8", "1280x720")
    assert detail["done"] == [made["id"], "completed", 100]
    assert detail["listed"] == [made["id"], detail["withFile"][0], detail["withMetadata"]]
    assert detail["remix"] == [made["id"], "queued"]
    assert detail["deleted"] == {"id": made["id"], "object": "video.deleted", "deleted": True}
    assert {name: file[0] for name, file in detail["files"].items()} == {
        "video": "video/mp4",
        "thumbnail": "image/webp",
        "spritesheet": "image/jpeg",
    }
    assert bytes.fromhex(detail["files"]["video"][1])[4:] == b"ftyp"
    assert detail["errors"] == {
        "size": ["BadRequestError", 400, "400"],
        "key": ["AuthenticationError", 401, "401"],
        "id": ["NotFoundError", 404, None],
    }
    path = f"{znapai.world.path}/jobs/{detail['withMetadata']}"
    assert znapai.world.control.get(path).json()["details"]["metadata"] == {"a": {"b": "c"}}
