"""Print the changelog of one version: `python -m tools.release_notes 0.1.0`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def release_notes(changelog: str, version: str) -> str:
    """The section of *version*, without its heading.

    Raises:
        ValueError: the changelog has no such section, or the section is empty.
    """
    section = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if section is None or not section[1].strip():
        raise ValueError(f"CHANGELOG.md has no section [{version}] with text in it")
    return section[1].strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(release_notes(CHANGELOG.read_text(encoding="utf-8"), sys.argv[1]))
