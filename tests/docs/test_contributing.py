"""CONTRIBUTING.md names what there is to run."""

from __future__ import annotations

import re

import pytest

from ..tree import ROOT

_TARGET = re.compile(r"^(check|test[a-z-]*|fuzz|mutants|bench):.*## ", re.MULTILINE)
_TARGETS = _TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))


def test_tiers_are_those_of_the_makefile() -> None:
    assert sorted(_TARGETS) == [
        "bench",
        "check",
        "fuzz",
        "mutants",
        "test",
        "test-browser",
        "test-clients",
        "test-examples",
        "test-foreign",
        "test-long",
        "test-neighbours",
        "test-postgres",
        "test-sdks",
        "test-servers",
        "test-slow",
        "test-typescript",
    ]


@pytest.mark.parametrize("command", [f"make {it}" for it in _TARGETS])
def test_every_tier_is_named_with_its_command(command: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert re.search(rf"^\| `[^`]*\b{command}` \|", text, re.MULTILINE)
