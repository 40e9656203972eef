"""docs/clients.md says what the clients of vendors do, and names their versions."""

from __future__ import annotations

import os

import pytest
from tools.client_report import CLIENTS, PAGE, page, results


@pytest.mark.slow
@pytest.mark.npm
@pytest.mark.sdk
@pytest.mark.skipif(os.environ.get("SDKS") != "all", reason="make test-sdks installs the clients")
def test_page_has_what_the_clients_do() -> None:
    found = results()

    assert page(found) == PAGE.read_text(), "python -m tools.client_report writes it"


def test_page_has_the_versions_of_the_lock_files() -> None:
    text = PAGE.read_text()

    assert [it.label for it in CLIENTS if f"| {it.label} |" not in text] == []
