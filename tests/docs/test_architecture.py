"""docs/architecture.md names files, folders and names that exist."""

from __future__ import annotations

import re

import pytest

from ..pages import DOCS
from ..test_imports import ROOMS
from ..tree import ROOT, VENDORS

PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"[\w.]+(?:/[\w.<>]*)+")
#: Modules of the mock may be named without the folder that all of them are in.
_STARTS = (ROOT, ROOT / "mock_server")

_PLACES = sorted({text for text in _CODE.findall(PAGE) if _PLACE.fullmatch(text)})
_ROWS = re.findall(r"^\| (?:a|an) ([\w ]+?) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def _exists(place: str) -> bool:
    """Whether *place* exists, with a provider or at least one name for each `<…>`."""
    concrete = [place.replace("<provider>", it).replace("<vendor>", it) for it in VENDORS]
    return all(
        any(list(start.glob(re.sub(r"<\w+>", "*", it))) for start in _STARTS) for it in concrete
    )


@pytest.mark.parametrize("place", _PLACES)
def test_every_place_that_the_page_names_exists(place: str) -> None:
    assert _exists(place)


def test_the_page_names_many_places_and_a_wrong_one_is_found() -> None:
    assert len(_PLACES) > 40
    assert not _exists("pipeline/gatez.py")
    assert not _exists("tests/<provider>/test_nothing.py")


def test_every_kind_of_change_has_a_place_and_a_test() -> None:
    assert [name for name, *_ in _ROWS] == [
        "fault type",
        "way to break a client",
        "gate",
        "refusal reason",
        "finding",
        "provider",
        "control endpoint",
        "page or a button",
        "command line verb",
        "tool for coding agents",
        "setting",
        "rule of the kit",
        "mutant",
        "monitor",
        "interpretation",
    ]
    assert all("`tests/" in test for *_, test in _ROWS)


def test_every_room_is_in_the_picture_or_named() -> None:
    unnamed = [room for room in ROOMS if room.rsplit("/", 1)[-1] not in PAGE]

    assert unnamed == []


@pytest.mark.parametrize(
    ("module", "name"),
    sorted(
        (module, name)
        for row in _ROWS
        for module, name in re.findall(r"`(\S+\.py)`: [^|`]*?`([A-Z_]+)`", row[1])
    ),
)
def test_every_table_that_the_page_names_is_in_its_module(module: str, name: str) -> None:
    assert re.search(rf"^{name}\b", (ROOT / module).read_text(encoding="utf-8"), re.MULTILINE)
