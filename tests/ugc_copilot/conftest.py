"""Fixtures of UGC Copilot's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from ..mock_client import Account, MockWorld, make_world
from . import steps


@pytest.fixture
def world(wsgi: Client) -> Iterator[MockWorld]:
    """A fresh world, gone after the test: a server holds 200 at a time and there are more tests."""
    made = make_world(wsgi)
    yield made
    assert made.control.delete(made.path).status == 204


@pytest.fixture
def ugc(world: MockWorld) -> Account:
    """An account on the lowest tier with 1,000 credits."""
    return world.account("ugc_copilot", credits=1_000)


@pytest.fixture
def neighbour(world: MockWorld) -> Account:
    """Another account of the same world, which owns nothing of the first."""
    return world.account("ugc_copilot", credits=1_000)


@pytest.fixture
def video_url(ugc: Account) -> str:
    """The address of a finished Sora video, which has cost 18 of the 1,000 credits."""
    return str(steps.fetch(ugc, steps.finished(ugc))["videoUrl"])
