"""Find words that the house style excludes: in docstrings, comments, messages and pages.

`python -m tools.language` prints the number of hits in each folder, `python -m tools.language
specs docs` prints every hit in these folders. `tests/test_language.py` uses the same functions.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

#: What to look for, and what to write instead. Matched without regard to case.
EXCLUDED = {
    r"\b(some|no|any|every)body\b": "name the person or the program: a client, a test, the caller",
    r"\bwho(m|so)?ever\b": "name the subject: a client that …",
    r"\btold\b": "say 'reported', 'named' or 'passed'",
    r"\b(stands|stood)\b": "say 'is'",
    r"(?<!there )(?<!what )\b(is|are|was)\sno\s(?!longer\b|more\b)": "say 'is not a …'",
    r"(?<!there )\b(is|are)\s(?-i:none)\b": "say 'there are no …', or name the value None",
    r"\byou\smay\snot\b": "say 'permission denied', or name the rule",
    r"\bcomplain": "say 'no findings'",
    r"^(nothing|nobody), (if|when|unless)\b": "start with the subject: Raises unless …",
    r"\bwell\ssigned\b|\bsigned\swell\b": "say 'correctly signed'",
    r"\bin the midst\b": "say 'during'",
    r"\b(wherewith|whence|thereof|whereof|hereof|thither|whither)\b": "use a modern word",
    r"\bthereby|\bwhereby\b": "use two sentences",
}
_EXCLUDED = {re.compile(it, re.IGNORECASE | re.MULTILINE): hint for it, hint in EXCLUDED.items()}

#: They quote the words that they look for.
_QUOTING = {Path("tools/language.py"), Path("tests/test_language.py")}
_FENCE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


class Hit(NamedTuple):
    """One excluded word, and what to write instead."""

    path: Path
    line: int
    words: str
    hint: str

    @property
    def folder(self) -> str:
        """The folder of its file, such as `mock_server/kernel`; `.` for the root."""
        return self.path.parent.as_posix()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words!r}: {self.hint}"


def prose_of_module(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and of each string with a space, docstrings included."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def prose_of_page(text: str) -> Iterator[tuple[int, str]]:
    """The text of a Markdown page without its code, with the line that it starts on."""
    yield 1, _FENCE.sub(lambda code: "\n" * code[0].count("\n"), text)


def hits_in(path: Path, text: str) -> list[Hit]:
    """Every excluded word in *text*, which is the content of *path*."""
    prose = prose_of_module(text) if path.suffix == ".py" else prose_of_page(text)
    return [
        Hit(path, line + part.count("\n", 0, found.start()), found[0].strip(), hint)
        for line, part in prose
        for pattern, hint in _EXCLUDED.items()
        for found in pattern.finditer(part)
    ]


@cache
def project_hits() -> tuple[Hit, ...]:
    """Every excluded word in the Python modules and the Markdown pages that git knows."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [Path(name) for name in sorted(set(listing.split("\0"))) if name]
    return tuple(
        hit
        for path in paths
        if path not in _QUOTING and (ROOT / path).is_file() and not (ROOT / path).is_symlink()
        for hit in hits_in(path, (ROOT / path).read_text(encoding="utf-8"))
    )


def main(folders: list[str]) -> None:
    """Print every hit in *folders*, or the number of hits in each folder if none is named."""
    hits = project_hits()
    if not folders:
        for folder, count in sorted(Counter(hit.folder for hit in hits).items()):
            print(f"{count:5}  {folder}")
        print(f"{len(hits):5}  in all")
        return
    for hit in hits:
        if any(f"{hit.folder}/".startswith(f"{folder.rstrip('/')}/") for folder in folders):
            print(hit)


if __name__ == "__main__":
    main(sys.argv[1:])
