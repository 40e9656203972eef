"""The commands of docs/starting-a-contract.md print what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit

from ..drafting.lamp import run
from ..pages import DOCS, blocks

_BLOCKS = blocks(DOCS / "starting-a-contract.md")
_NEW, *_LATER = (text for language, text in _BLOCKS if language == "console")
(_DRAFTED,) = (text for language, text in _BLOCKS if language == "yaml")
_OPENAPI = next(
    text for language, text in blocks(DOCS / "writing-a-contract.md") if language == "yaml"
)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lamp").mkdir()
    Path("lamp/openapi.yaml").write_text(_OPENAPI)


@pytest.mark.usefixtures("_folder")
def test_the_first_command_prints_what_the_page_shows(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command, *shown = _NEW.splitlines()

    code = run(monkeypatch, *command.removeprefix("$ screentest ").split())
    printed = capfd.readouterr()

    assert code == Exit.OK
    assert [*printed.out.splitlines(), *printed.err.splitlines()] == shown
    assert _DRAFTED in Path("mocks/lamp/behaviour.yaml").read_text()


@pytest.mark.usefixtures("_folder")
def test_the_draft_of_the_page_lints_and_verifies(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, *_NEW.splitlines()[0].removeprefix("$ screentest ").split())
    lint, _, verify = (it.removeprefix("screentest ").split() for it in _LATER[0].splitlines())

    codes = [run(monkeypatch, *words) for words in (lint, verify)]

    assert codes == [Exit.OK, Exit.OK], capfd.readouterr().out


@pytest.mark.usefixtures("_folder")
def test_the_same_file_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, *_NEW.splitlines()[0].removeprefix("$ screentest ").split())
    Path("new-openapi.yaml").write_text(_OPENAPI)

    assert run(monkeypatch, *_LATER[2].removeprefix("screentest ").split()) == Exit.OK
