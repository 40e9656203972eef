"""Bad clients are caught and good ones are not accused, whatever the seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from screentest import WorldFactory
from tests.plugin.conftest import neighbour
from tests.tree import ROOT

from . import bad_clients, bad_requests, explained_clients, good_clients, library_clients
from .registry import BAD, GOOD, Entry
from .test_node_clients import BAD as NODE_BAD
from .test_node_clients import GOOD as NODE_GOOD

#: What fills the two lists.
MODULES = (bad_clients, bad_requests, explained_clients, good_clients, library_clients)
SEEDS = (1, 2, 3, 4, 5)
#: Of all bad clients and seeds.
CAUGHT_MIN = 0.95


def figures(bad: int, good: int) -> str:
    """The end of a row of the page: so many clients, all found and none accused."""
    runs = len(SEEDS)
    return f"| {bad} | {runs * bad} of {runs * bad} | {good} | 0 of {runs * good} |"


def _entries(entries: Sequence[Entry]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", entries, ids=lambda it: it.name)


def _found(
    factory: WorldFactory, client: Entry, seeds: Sequence[int]
) -> Iterator[list[tuple[str, str]]]:
    """Code and fact of each finding about *client*, by seed."""
    for name in client.needs:
        neighbour(name)
    for seed in seeds:
        world = factory.create(seed=seed)
        client.run(world)
        yield [(it.code, it.actual) for it in world.findings()]
        world.close()
        factory.worlds.remove(world)


@pytest.mark.screentest(violations="ignore")
@_entries(GOOD)
def test_good_client_is_not_accused(screentest_worlds: WorldFactory, client: Entry) -> None:
    assert list(_found(screentest_worlds, client, SEEDS[:1])) == [[]]


@pytest.mark.screentest(violations="ignore")
@_entries(BAD)
def test_bad_client_is_found_with_its_code(screentest_worlds: WorldFactory, client: Entry) -> None:
    (found,) = _found(screentest_worlds, client, SEEDS[:1])

    assert client.source
    assert client.code in {code for code, _ in found}, found


@pytest.mark.slow
@pytest.mark.screentest(violations="ignore")
@_entries(GOOD)
def test_good_client_is_accused_under_no_seed(
    screentest_worlds: WorldFactory, client: Entry
) -> None:
    assert list(_found(screentest_worlds, client, SEEDS[1:])) == [[]] * len(SEEDS[1:])


@pytest.mark.slow
@pytest.mark.screentest(violations="ignore")
@_entries(BAD)
def test_bad_client_is_found_whatever_the_seed(
    screentest_worlds: WorldFactory, client: Entry
) -> None:
    caught = [
        client.code in {code for code, _ in found}
        for found in _found(screentest_worlds, client, SEEDS)
    ]

    assert sum(caught) >= CAUGHT_MIN * len(SEEDS)


def test_corpus_is_large_enough() -> None:
    assert len({it.name for it in BAD}) == len(BAD) >= 60
    assert len({it.name for it in GOOD}) == len(GOOD) >= 30


def test_page_of_findings_counts_the_clients() -> None:
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")

    for needs_library in (False, True):
        bad = sum(bool(it.needs) is needs_library for it in BAD)
        good = sum(bool(it.needs) is needs_library for it in GOOD)
        assert figures(bad, good) in page
    assert figures(len(NODE_BAD), len(NODE_GOOD)) in page
