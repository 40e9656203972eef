"""Sixty-four threads at once: no error of ours, no credit lost, no request missing."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from screentest.specs.json_types import Json
from tests.live_mock import LiveMock

_THREADS = 64


def _client(world: Json, ends_s: float, number: int) -> Counter[int]:
    """Mixed traffic of one client until *ends_s*; how often each status came."""
    ozor = world["providers"]["ozor"]
    headers = {"X-API-Key": ozor["account"]["api_key"]}
    seen: Counter[int] = Counter()
    with requests.Session() as session:
        session.headers.update(headers)
        base = f"{ozor['base_url']}/api/v1/videos"
        while time.monotonic() < ends_s:
            made = session.post(f"{base}/generate", json={"prompt": f"Lamp {number}"}, timeout=30)
            seen[made.status_code] += 1
            for path in (base, f"{base}/nothing", f"{base}/{made.json().get('videoId', 'none')}"):
                seen[session.get(path, timeout=30).status_code] += 1
            seen[session.post(f"{base}/generate", json={"prompt": 7}, timeout=30).status_code] += 1
    return seen


@pytest.mark.long
@pytest.mark.parametrize(
    "lasts_s", [3.0, pytest.param(30.0, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_sixty_four_threads_meet_no_error_of_ours(live: LiveMock, lasts_s: float) -> None:
    world = live.world(clock={"mode": "real", "speed": 1_000}, credits={"ozor": 1_000_000})
    path = f"/worlds/{world['id']}"
    account = world["providers"]["ozor"]["account"]["id"]
    ends_s = time.monotonic() + lasts_s

    with ThreadPoolExecutor(_THREADS) as pool:
        counts = list(pool.map(lambda number: _client(world, ends_s, number), range(_THREADS)))
    seen = sum(counts, Counter[int]())
    ledger = live.control("GET", f"{path}/accounts/{account}/ledger")
    last = live.control("GET", f"{path}/requests/req_{seen.total()}")
    after = f"{path}/requests?cursor={max(0, seen.total() - 150)}&limit=200"
    lines = live.control("GET", after)["items"]

    assert {status for status in seen if status >= 500} == set()
    assert ledger["granted"] == ledger["available"] + ledger["held"] + ledger["spent"] == 1_000_000
    assert last["id"] == f"req_{seen.total()}"
    assert len(lines) == min(150, seen.total())
    assert len({line["id"] for line in lines}) == len(lines)
