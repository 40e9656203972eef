"""A job's id in a control path: the provider's own, slashes included."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.mock_client import Account, MockWorld
from tests.ugc_copilot import steps

_SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda id_: id_,
    "escaped": lambda id_: quote(id_, safe=""),
    "underscores": lambda id_: id_.replace("/", "_"),
}


@pytest.fixture
def ugc(world: MockWorld) -> Account:
    return world.account("ugc_copilot")


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_job_with_slashes_in_its_id_is_found_in_each_spelling(ugc: Account, spelling: str) -> None:
    operation = steps.start(ugc)

    path = f"{ugc.world.path}/jobs/{_SPELLINGS[spelling](operation)}"
    read = ugc.world.control.get(path)
    failed = ugc.world.control.patch(path, json={"outcome": "failed", "reason": "No light"})

    assert operation.count("/") >= 1
    assert (read.status, read.json()["id"]) == (200, operation)
    assert (failed.status, failed.json()["reason"]) == (200, "No light")


def test_listed_id_can_be_put_into_the_path_as_it_is(ugc: Account) -> None:
    steps.start(ugc)
    (listed,) = ugc.world.control.get(f"{ugc.world.path}/jobs").json()["items"]

    answer = ugc.world.control.get(f"{ugc.world.path}/jobs/{listed['id']}")

    assert answer.json() == listed


@pytest.mark.parametrize("id_", ["no/such/job", "no_such_job"])
def test_unknown_job_is_named_as_it_was_asked_for(world: MockWorld, id_: str) -> None:
    answer = world.control.get(f"{world.path}/jobs/{id_}")

    assert (answer.status, answer.json()["code"]) == (404, "unknown_job")
    assert answer.json()["detail"].startswith(f"no job {id_!r}")
