"""The option of `pytest -p screentest.contract_tests.options --pyargs screentest.contract_tests`.

A module of its own, as pytest reads options before it looks into packages that `--pyargs` names.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screentest-target`, as often as there are servers; our own mock without it."""
    parser.getgroup("screentest contract").addoption(
        "--screentest-target",
        action="append",
        default=[],
        metavar="PROVIDER[=URL]",
        help="A provider, at an address or (without one) as our own mock in this process. "
        "Keys come from SCREENTEST_API_KEY and SCREENTEST_SECOND_API_KEY.",
    )
