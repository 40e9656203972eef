"""Contract files of which nothing is known yet: the first thing wrong, with its place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from screentest.specs.behaviour.reasons import needed_reasons
from screentest.specs.contracts.registry import shipped_contracts
from screentest.specs.errors import ContractError
from screentest.specs.linting.lint import lint_contract

from ..tree import ROOT

SPECS = ROOT / "specs"
_TEXT = "/api/v1/sora/generate/text-to-video/"


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_contract_of_the_house_is_in_order(provider: str) -> None:
    lint_contract(SPECS / provider)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_contract_of_the_house_words_each_refusal(provider: str) -> None:
    """Those of others may leave the rest to the mock."""
    contract = shipped_contracts().load(provider)

    assert {*needed_reasons(contract.behaviour, contract.operations.values())} <= {
        *contract.behaviour.refusals
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a contract that is in order."""
    return shutil.copytree(SPECS / "ulazai", tmp_path / "lamp")


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        ("\npaths:", "\npathz:", '"paths" is a required property'),
        ("openapi: 3.1.0", "openapi: 2.0.0", 'at openapi: "2.0.0" does not match'),
        (
            "operationId: generateImageToVideo",
            "operationId: generateTextToVideo",
            "post/operationId: POST /api/v1/sora/generate/text-to-video/ has the operationId "
            "'generateTextToVideo', too",
        ),
        (
            "      responses:",
            "      responses: lamp\n      replies:",
            '"lamp" is not of type "object"',
        ),
        ("in: path", "in: body", '/parameters/0/in: "body" is not one of "path", "query"'),
        (
            "'#/components/schemas/TextToVideoRequest'",
            "'#/components/schemas/Text'",
            f"at paths/{_TEXT}/post/requestBody/content/application/json/schema/$ref: "
            "the $ref '#/components/schemas/Text' points at nothing",
        ),
        (
            "'#/components/schemas/TextToVideoRequest'",
            "'other.yaml#/Text'",
            f"at paths/{_TEXT}/post/requestBody/content/application/json/schema/$ref: "
            "the $ref 'other.yaml#/Text' names a file that does not exist",
        ),
        (
            "minLength: 1",
            "minLength: one",
            '/minLength: "one" is not of type "integer"',
        ),
    ],
)
def test_wrong_openapi_file_is_reported_with_the_place(
    folder: Path, old: str, new: str, detail: str
) -> None:
    path = folder / "openapi.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    assert old in text
    with pytest.raises(ContractError, match=rf"^{re.escape(str(path))}:\d+: .*{re.escape(detail)}"):
        lint_contract(folder)


@pytest.mark.parametrize("text", ["", "[]", "3", "lamp", "null"])
def test_file_with_other_content_is_reported(folder: Path, text: str) -> None:
    for name in ("openapi.yaml", "behaviour.yaml"):
        (folder / name).write_text(text)

        with pytest.raises(ContractError, match=rf'{name}(:1)?: .*is not of type "object"'):
            lint_contract(folder)


def test_field_named_like_a_reference_is_not_one_inside_an_example(folder: Path) -> None:
    path = folder / "openapi.yaml"
    schema = "schema: {$ref: '#/components/schemas/TextToVideoRequest'}"
    before, found, after = path.read_text(encoding="utf-8").partition(schema)
    indent = before.rpartition("\n")[2]
    path.write_text(f"{before}{found}\n{indent}example: {{$ref: nowhere}}{after}")

    assert found
    lint_contract(folder)
