"""The code blocks of the documentation, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# A block may be indented in a list.
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path) -> list[tuple[str, str]]:
    """(language, text) of the fenced blocks of a page."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    return [
        (language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, text in found
    ]


def pattern(line: str) -> str:
    """A line of a page as a pattern for `fnmatch`; … matches anything."""
    return line.replace("[", "[[]").replace("…", "*")
