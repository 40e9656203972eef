"""Fixtures that every test folder uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client as WsgiClient

from .live_mock import live as live
from .mock_client import Account, MockWorld, make_world, make_wsgi
from .tree import DOWNSTREAM


def pytest_configure(config: pytest.Config) -> None:
    """Refuse tests/downstream: its conftest would give all tests here its options and fixtures."""
    here = config.invocation_params.dir
    named = [(here / it.partition("::")[0]).resolve() for it in config.args]
    if any(it.is_relative_to(DOWNSTREAM) for it in named):
        raise pytest.UsageError(
            "tests/downstream is a project of its own; tests/plugin/test_downstream.py runs it"
        )


@pytest.fixture(scope="session")
def wsgi() -> WsgiClient:
    """One mock for the whole run; isolation comes from worlds."""
    return make_wsgi()


@pytest.fixture
def world(wsgi: WsgiClient) -> Iterator[MockWorld]:
    """A fresh world: manual clock at 2026-01-01T00:00:00Z, seed 7."""
    made = make_world(wsgi)
    yield made
    made.control.delete(made.path)


@pytest.fixture
def ozor(world: MockWorld) -> Account:
    """A new Ozor account with the documented 10 credits."""
    return world.account("ozor")
