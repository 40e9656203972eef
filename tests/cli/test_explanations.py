"""Every finding that can be reported is explained, in words and in code that is code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tools.reference_pages import stale_pages

from screentest.mock_server.findings.explanations import Explanation, explanations
from tests.tree import ROOT, python_files

from .conftest import Shell

_CODE = re.compile(r"[\"'](SC[1-5][0-9]{2})[\"']")
_ALL = list(explanations().values())


def test_every_code_that_is_reported_is_explained_and_no_other() -> None:
    used = {
        code
        for path in python_files("mock_server", "fixtures", "contract_tests", "specs")
        if "mutants" not in path.parts
        for code in _CODE.findall((ROOT / path).read_text(encoding="utf-8"))
    }

    assert used == set(explanations())


@pytest.mark.parametrize("it", _ALL, ids=lambda it: it.code)
def test_explanation_says_what_and_why_and_shows_right_and_wrong_code(it: Explanation) -> None:
    texts = (it.title, it.what, it.why)
    codes = (it.python.wrong, it.python.right, it.typescript.wrong, it.typescript.right)

    assert all(texts)
    assert all(codes)
    assert it.python.wrong != it.python.right
    assert it.typescript.wrong != it.typescript.right
    assert it.severity in {"error", "warning"}


@pytest.mark.parametrize("it", _ALL, ids=lambda it: it.code)
def test_python_in_an_explanation_is_python(it: Explanation) -> None:
    ast.parse(it.python.wrong)
    ast.parse(it.python.right)


def test_explain_prints_meaning_reason_and_code(shell: Shell) -> None:
    detail = shell.run("explain", "sc102")

    assert detail.code == 0
    assert detail.out.startswith("SC102  value of the wrong type  (error)\n")
    assert (
        'Right (python):\n    client.post("/videos", json={"prompt": "A lamp", "seconds": "4"})'
        in detail.out
    )
    assert "Right (typescript):" in detail.out


@pytest.mark.parametrize("code", list(explanations()))
def test_explain_knows_every_code(shell: Shell, code: str) -> None:
    detail = shell.run("explain", code, "--json")

    assert (detail.code, detail.json["code"], detail.err) == (0, code, "")


@pytest.mark.parametrize(
    ("code", "nearest"), [("SC1033", "SC103"), ("102", "SC102"), ("SC2001", "SC201")]
)
def test_explain_of_an_unknown_code_names_the_nearest_and_all(
    shell: Shell, code: str, nearest: str
) -> None:
    detail = shell.run("explain", code)

    assert (detail.code, detail.out) == (2, "")
    assert detail.err.startswith(
        f"error: no finding {code!r}; did you mean {nearest!r}? (there are:"
    )
    assert len(detail.err.splitlines()) == 1


def test_explain_without_a_code_lists_all(shell: Shell) -> None:
    listed = shell.run("explain").out.splitlines()
    documents = shell.run("explain", "--all", "--json").json

    assert [line.split()[0] for line in listed] == list(explanations())
    assert [it["code"] for it in documents] == list(explanations())


def test_written_pages_are_up_to_date() -> None:
    """`python -m tools.reference_pages` writes them."""
    assert stale_pages() == []


def test_pages_stand_where_they_are_linked_from() -> None:
    assert Path(ROOT / "docs" / "findings.md").exists()
