"""Fixtures of UlazAI's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from ..mock_client import Account, MockWorld, make_world


@pytest.fixture
def world(wsgi: Client) -> Iterator[MockWorld]:
    """A fresh world, gone after the test: a server holds 200 at a time and there are more tests."""
    yield from _lent_world(wsgi)


@pytest.fixture
def other_world(wsgi: Client) -> Iterator[MockWorld]:
    """A second world on the same server, with the same seed."""
    yield from _lent_world(wsgi)


def _lent_world(wsgi: Client) -> Iterator[MockWorld]:
    world = make_world(wsgi)
    yield world
    assert world.control.delete(world.path).status == 204


@pytest.fixture
def ulazai(world: MockWorld) -> Account:
    """A new UlazAI account with 1,000 credits."""
    return world.account("ulazai")


@pytest.fixture
def neighbour(world: MockWorld) -> Account:
    """Another account of the same world, which owns nothing of the first."""
    return world.account("ulazai")


@pytest.fixture
def three_worlds(wsgi: Client) -> Iterator[list[MockWorld]]:
    """Three worlds with one seed."""
    worlds = [make_world(wsgi) for _ in range(3)]
    yield worlds
    for world in worlds:
        assert world.control.delete(world.path).status == 204
