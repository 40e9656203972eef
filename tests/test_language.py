"""The words of docstrings, comments, messages and pages are those of the house style."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.language import hits_in, project_hits


def test_no_text_of_the_project_has_an_excluded_word() -> None:
    found = [str(hit) for hit in project_hits()]

    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", '"""What somebody sends."""', ["1: 'somebody'"]),
        ("a.py", "x = 1\n# Whoever reads it.\n", ["2: 'Whoever'"]),
        ("a.py", 'x = f"{y} is no job"\n', ["1: 'is no'"]),
        ("a.py", '"""First.\n\nIt stands\nhere."""', ["3: 'stands'"]),
        ("a.py", '"""There is no job, and it is no longer due."""', []),
        ("a.py", "told = whoever\n", []),
        ("a.md", "One.\n\nIt is told.\n", ["3: 'told'"]),
        ("a.md", "```py\ntold\n```\n`told` is code.\nNobody.\n", ["5: 'Nobody'"]),
    ],
)
def test_prose_is_searched_and_code_is_not(name: str, text: str, found: list[str]) -> None:
    hits = hits_in(Path(name), text)

    assert [f"{hit.line}: {hit.words!r}" for hit in hits] == found
