"""Bad clients are caught and good ones are not accused, whatever the seed."""

from __future__ import annotations

from collections import Counter

import pytest

from screentest import WorldFactory

from .bad_clients import BAD, Client
from .good_clients import GOOD

SEEDS = (1, 2, 3, 4, 5)
#: Of all bad clients and seeds.
CAUGHT_MIN = 0.95


@pytest.mark.screentest(violations="ignore")
@pytest.mark.parametrize("client", GOOD, ids=lambda it: it.__name__)
def test_good_client_is_not_accused(screentest_worlds: WorldFactory, client: Client) -> None:
    for seed in SEEDS:
        world = screentest_worlds.create(seed=seed)

        client(world)

        assert [(it.code, it.actual) for it in world.findings()] == [], f"seed {seed}"
        world.close()
        screentest_worlds.worlds.remove(world)


@pytest.mark.screentest(violations="ignore")
@pytest.mark.parametrize(("code", "source", "client"), BAD, ids=[it[2].__name__ for it in BAD])
def test_bad_client_is_found_with_its_code(
    screentest_worlds: WorldFactory, code: str, source: str, client: Client
) -> None:
    found: Counter[str] = Counter()

    for seed in SEEDS:
        world = screentest_worlds.create(seed=seed)
        client(world)
        found.update({it.code for it in world.findings()})
        world.close()
        screentest_worlds.worlds.remove(world)

    assert source
    assert found[code] >= CAUGHT_MIN * len(SEEDS), found


def test_corpus_is_large_enough() -> None:
    assert len({it[2].__name__ for it in BAD}) == len(BAD) >= 20
    assert len({it.__name__ for it in GOOD}) == len(GOOD) >= 12
