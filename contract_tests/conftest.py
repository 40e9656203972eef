"""Every test about a target runs over all that were asked for; over our own mocks by default."""

from __future__ import annotations

import os

import pytest

from screentest.specs.contract import provider_names

from .named_target import check_target


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Fill in `target_name`, from the option that our pytest plugin declares."""
    if "target_name" in metafunc.fixturenames:
        metafunc.parametrize("target_name", _asked(metafunc.config) or list(provider_names()))


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """End with one line, and before anything is sent, when a target is none."""
    for name in _asked(config):
        try:
            check_target(name, os.environ)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None


def _asked(config: pytest.Config) -> list[str]:
    return config.getoption("--screentest-target", default=None) or []
