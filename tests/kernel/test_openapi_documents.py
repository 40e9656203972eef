"""The six OpenAPI documents are valid, and `make check` says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import validate

from screentest.specs.openapi.grammar import METHODS

from ..tree import ROOT

_DOCUMENTS = sorted((ROOT / "specs").glob("*/openapi.yaml"))
_LINT = ROOT / "tools" / "lint_specs.sh"


def _lint(**variables: str) -> subprocess.CompletedProcess[str]:
    """The linter where there is no npm."""
    return subprocess.run(
        ["/bin/bash", str(_LINT)],
        env={"PATH": os.devnull, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_are_six_documents() -> None:
    names = [path.parent.name for path in _DOCUMENTS]

    assert names == ["control", "oshara", "ozor", "ugc_copilot", "ulazai", "znapai"]


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: path.parent.name)
def test_document_is_openapi_3_1(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    validate(document)

    assert document["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: path.parent.name)
def test_every_tag_has_a_description_and_operations(path: Path) -> None:
    """A comma in a YAML flow mapping ends a text, and begins a key without a value."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    used = {
        tag
        for item in document["paths"].values()
        for name, operation in item.items()
        if name in METHODS
        for tag in operation["tags"]
    }

    assert [set(tag) for tag in document["tags"]] == [{"name", "description"}] * len(used)
    assert {tag["name"] for tag in document["tags"]} == used
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_lint_without_npm_is_skipped_and_says_so() -> None:
    done = _lint()

    assert done.returncode == 0
    assert done.stdout == "npm is not installed, so Redocly's rules were not checked\n"


def test_lint_without_npm_fails_in_continuous_integration() -> None:
    done = _lint(CI="true")

    assert done.returncode == 1
    assert "install Node.js" in done.stderr


@pytest.mark.npm
@pytest.mark.slow
def test_lint_finds_a_tag_that_a_comma_cut_in_two(tmp_path: Path) -> None:
    text = (ROOT / "specs" / "control" / "openapi.yaml").read_text(encoding="utf-8")
    start, end = text.index("  - name: worlds"), text.index("  - name: jobs")
    planted = tmp_path / "openapi.yaml"
    cut = "  - {name: worlds, description: Isolated worlds, their clocks.}\n"
    planted.write_text(text[:start] + cut + text[end:], encoding="utf-8")

    done = subprocess.run(
        ["/bin/bash", str(_LINT), str(planted)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "Property `their clocks.` is not expected here" in done.stdout + done.stderr
