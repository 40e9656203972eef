"""Pages of a world in which much has happened stay small and quick."""

from __future__ import annotations

import time

import pytest

from tests.mock_client import MockWorld

from .visitor import Visitor

#: More requests than a world keeps lines of; 90,000 polls gave the same figures.
JOBS, POLLS = 10_000, 10_000
BYTES_MAX, SECONDS_MAX = 150_000, 0.2


@pytest.mark.slow
def test_every_page_of_a_world_with_ten_thousand_running_jobs_is_small_and_quick(
    visitor: Visitor, world: MockWorld
) -> None:
    account = world.account("ozor")
    account.set_credits(2 * JOBS)
    made = [
        account.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).json()["videoId"]
        for _ in range(JOBS)
    ]
    for number in range(POLLS):
        account.client.get(f"/api/v1/videos/{made[number % JOBS]}")

    found: dict[str, tuple[int, float]] = {}
    for page in ("", "requests", "jobs", f"credits?account={account.id}", "webhooks", "faults"):
        sizes, took_s = set[int](), list[float]()
        for _ in range(3):
            began_s = time.process_time()
            sizes.add(len(visitor.open(f"/{page}").data))
            took_s.append(time.process_time() - began_s)
        found[page] = (max(sizes), min(took_s))

    assert {page: size for page, (size, _) in found.items() if size > BYTES_MAX} == {}
    assert {page: took for page, (_, took) in found.items() if took > SECONDS_MAX} == {}
