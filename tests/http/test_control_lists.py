"""Every list of the control API comes in pages, which join without gap or repetition."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, Client, make_world, make_wsgi
from tests.ozor import steps

_PAGES_MAX = 50

#: Each list with the field of its items and what names one.
_LISTS = {
    "faults": ("items", "id", ["fault_1", "fault_3", "fault_4"]),
    "webhooks/endpoints": ("items", "id", ["ep_1", "ep_2", "ep_3"]),
    "snapshots": ("items", "name", ["a-1", "b", "c"]),
    "accounts/acct_6/ledger": ("entries", "kind", ["grant", *["hold"] * 3, *["capture"] * 3]),
    "jobs": ("items", "state", ["completed"] * 3),
    "requests": ("items", "id", ["req_1", "req_2", "req_3"]),
    "events": ("items", "type", [*["job.running"] * 3, *["job.completed"] * 3]),
}


@pytest.fixture
def ozor() -> Account:
    """Three of everything that is listed, one fault called off."""
    account = make_world(make_wsgi()).account("ozor")
    control, path = account.world.control, account.world.path
    for number, name in enumerate(("c", "a-1", "b")):
        control.post(f"{path}/snapshots", json={"name": name})
        control.post(f"{path}/faults", json={"type": "latency", "nth": 100})
        hook = {"provider": "ugc_copilot", "url": f"http://127.0.0.1:9/{number}"}
        control.post(f"{path}/webhooks/endpoints", json=hook)
        steps.generate(account)
    control.post(f"{path}/faults", json={"type": "latency", "nth": 100})
    control.delete(f"{path}/faults/fault_2")
    account.world.advance_until_idle()
    return account


def _pages(control: Client, path: str, listed: str) -> list[list[Json]]:
    pages: list[list[Json]] = []
    cursor: dict[str, str] = {}
    for _ in range(_PAGES_MAX):
        page = control.get(path, query={"limit": 2, **cursor}).json()
        pages.append(page[listed])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError(f"{path} has no end")


@pytest.mark.parametrize("name", _LISTS)
def test_pages_join_without_gap_or_repetition(ozor: Account, name: str) -> None:
    listed, called, expected = _LISTS[name]
    path = f"{ozor.world.path}/{name}"
    whole = ozor.world.control.get(path).json()

    pages = _pages(ozor.world.control, path, listed)

    assert [it for page in pages for it in page] == whole[listed]
    assert [it[called] for it in whole[listed]] == expected
    assert whole["next_cursor"] is None
    assert all(len(page) == 2 for page in pages[:-1])
