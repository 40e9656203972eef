"""The steps of docs/writing-a-contract.md work as the page shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import Client

# Loaded here, so that the run inside this process does not have to load it.
import screentest.fixtures.session  # pyright: ignore[reportUnusedImport]
import screentest.specs.yaml_loader  # pyright: ignore[reportUnusedImport]  # noqa: F401
from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.registry import load_contract
from screentest.specs.linting.lint import problems_of

from ..pages import DOCS, blocks

pytest_plugins = ["pytester"]

_BLOCKS = blocks(DOCS / "writing-a-contract.md")
_OPENAPI, _BEHAVIOUR, _READINGS = (text for language, text in _BLOCKS if language == "yaml")
_TEST, _CODE = (text for language, text in _BLOCKS if language == "python")
(_INI,) = (text for language, text in _BLOCKS if language == "ini")


@pytest.fixture
def lamp(pytester: pytest.Pytester) -> Path:
    folder = pytester.mkdir("lamp")
    (folder / "openapi.yaml").write_text(_OPENAPI)
    return folder


def test_the_file_alone_is_served(lamp: Path) -> None:
    contract = load_contract(lamp / "openapi.yaml")
    client = Client(create_app(contracts=[contract]))
    key = client.get("/_screentest/worlds/default").get_json()["env"]["LAMP_VIDEO_API_KEY"]
    headers = {"Authorization": f"Bearer {key}"}

    made = client.post("/lamp_video/v1/videos", json={"prompt": "a lamp"}, headers=headers)
    wrong = client.post("/lamp_video/v1/videos", json={}, headers=headers)

    assert (made.status_code, made.headers["X-Screentest-Reason"]) == (201, "unbehaved")
    assert (wrong.status_code, wrong.get_json()) == (
        422,
        {"message": "prompt: expected a value, got nothing"},
    )


def test_the_folder_with_behaviour_has_no_problem(lamp: Path) -> None:
    (lamp / "behaviour.yaml").write_text(_BEHAVIOUR)

    assert list(problems_of(lamp)) == []


def test_the_reading_of_the_page_changes_the_status(lamp: Path) -> None:
    (lamp / "behaviour.yaml").write_text(_BEHAVIOUR)
    (lamp / "readings.yaml").write_text(_READINGS)

    contract = load_contract(lamp)

    assert list(problems_of(lamp)) == []
    assert contract.under({"lamp.silence": "loud"}).behaviour.refusals["invalid"].status == 422
    assert not contract.behaviour.refusals


def test_the_test_of_the_page_passes(
    lamp: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (lamp / "behaviour.yaml").write_text(_BEHAVIOUR)
    pytester.path.joinpath("pytest.ini").write_text(_INI)
    pytester.makepyfile(_TEST)

    pytester.runpytest_inprocess("-q", "-p", "screentest.fixtures.plugin").assert_outcomes(passed=1)


def test_the_functions_of_the_page_are_called(lamp: Path) -> None:
    (lamp / "behaviour.yaml").write_text(_BEHAVIOUR)
    (lamp / "provider.py").write_text(_CODE)
    client = Client(create_app(contracts=[load_contract(lamp)]))
    env = client.get("/_screentest/worlds/default").get_json()["env"]
    headers = {"Authorization": f"Bearer {env['LAMP_API_KEY']}"}

    made, refused = (
        client.post("/lamp/v1/videos", json={"prompt": prompt}, headers=headers)
        for prompt in ("a lamp", "a dog")
    )

    assert (made.status_code, refused.status_code) == (201, 422)
    assert refused.get_json() == {
        "message": "prompt: expected a prompt about a lamp, got another one"
    }
