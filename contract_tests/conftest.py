"""Every test about a target runs over all that were asked for; over our own mocks by default."""

from __future__ import annotations

import pytest

from screentest.specs.contract import provider_names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Fill in `target_name`, from the option that our pytest plugin declares."""
    if "target_name" in metafunc.fixturenames:
        asked: list[str] = metafunc.config.getoption("--screentest-target", default=None) or []
        metafunc.parametrize("target_name", asked or list(provider_names()))
