"""Each test about a target runs for all targets given; by default for our own mocks."""

from __future__ import annotations

import os

import pytest

from screentest.specs.contracts.registry import shipped_contracts

from .runs.named_target import NamedTarget, checked_target

#: Made once for each run, so that its tests share one budget for each target.
_TARGETS = pytest.StashKey[dict[str, NamedTarget]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Fill in `target_name`, from the option that our pytest plugin declares."""
    if "target_name" in metafunc.fixturenames:
        metafunc.parametrize("target_name", _names(metafunc.config))


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """End the run with one line, before it costs anything, if the target is wrong."""
    is_asked = not config.getoption("collectonly")
    try:
        config.stash[_TARGETS] = {
            it: checked_target(it, os.environ, is_asked=is_asked) for it in _names(config)
        }
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture
def target(target_name: str, pytestconfig: pytest.Config) -> NamedTarget:
    """What `target_name` names, the same for every test of a run."""
    return pytestconfig.stash[_TARGETS][target_name]


def _names(config: pytest.Config) -> list[str]:
    return config.getoption("--screentest-target", default=None) or list(shipped_contracts().names)
