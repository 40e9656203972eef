"""Fixtures of Ozor's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from ..mock_client import Account, MockWorld, make_world
from . import steps


@pytest.fixture
def other_world(wsgi: Client) -> Iterator[MockWorld]:
    """A second world on the same server."""
    made = make_world(wsgi)
    yield made
    made.control.delete(made.path)


@pytest.fixture
def neighbour(world: MockWorld) -> Account:
    """Another account of the same world, which owns nothing of the first."""
    return world.account("ozor")


@pytest.fixture
def video_id(ozor: Account) -> str:
    """A finished 16:9 video, which has cost 1 of the 10 credits."""
    return steps.make_video(ozor)


@pytest.fixture
def plan_id(ozor: Account) -> str:
    """A draft plan of six voiced scenes, which has cost 1 of the 10 credits."""
    return str(steps.analyze(ozor)["planId"])
