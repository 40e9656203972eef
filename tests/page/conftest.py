"""A visitor of a fresh world."""

from __future__ import annotations

import pytest
from werkzeug.test import Client as WsgiClient

from tests.mock_client import MockWorld

from .visitor import Visitor


@pytest.fixture
def visitor(world: MockWorld) -> Visitor:
    """A visitor with an empty jar of cookies."""
    return Visitor(WsgiClient(world.wsgi.application), world.id)
