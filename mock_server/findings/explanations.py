"""What every finding means, for `screentest explain` and for the page of findings.

The texts are in explanations.toml, because they are prose and code in two languages. A test checks
that every code in use has one, and that each is used.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct, convert, to_builtins

from screentest.specs.json_types import Json

_FILE = Path(__file__).with_name("explanations.toml")


class Example(Struct, frozen=True):
    """The same few lines, wrong and right."""

    wrong: str
    right: str


class Explanation(Struct, frozen=True, kw_only=True):
    """One finding. *severity* is `error`, or `warning` for calls that a provider answers."""

    code: str
    title: str
    severity: str = "error"
    what: str
    why: str
    python: Example
    typescript: Example

    def to_json(self) -> Json:
        return to_builtins(self)


@cache
def explanations() -> Mapping[str, Explanation]:
    """All of them by code, in the order of their codes."""
    raw: Mapping[str, Json] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {code: convert({"code": code, **raw[code]}, Explanation) for code in sorted(raw)}


def explanation(code: str) -> Explanation | None:
    """What *code* means; None when there is no such finding."""
    return explanations().get(code)
