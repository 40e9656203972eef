"""The words of docstrings, comments, messages and pages are those of the house style."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tools.language import hits_in, project_hits

#: Folders that are not rewritten yet, and how many excluded words they may have at most. A folder
#: that is not listed has none. Only lower a number, or remove a line.
UNFINISHED = {}


def test_finished_folders_have_no_excluded_word() -> None:
    found = [str(hit) for hit in project_hits() if hit.folder not in UNFINISHED]

    assert found == [], "\n".join(found)


def test_unfinished_folders_do_not_get_worse() -> None:
    counts = Counter(hit.folder for hit in project_hits())

    worse = {
        folder: f"{counts[folder]} excluded words, {most} at most;"
        f" `python -m tools.language {folder}` lists them"
        for folder, most in UNFINISHED.items()
        if counts[folder] > most
    }

    assert worse == {}


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
