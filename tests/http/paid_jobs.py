"""Starting and following a paid job at every provider, for tests of what clients do with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc
from tests.ulazai import steps as ulazai
from tests.znapai import steps as znapai

#: How each provider's client starts something paid, and asks for it afterwards.
START: dict[str, Callable[..., Json]] = {
    "oshara": oshara.create,
    "ozor": ozor_steps.generate,
    "ugc_copilot": ugc.start,
    "ulazai": ulazai.from_text,
    "znapai": znapai.create,
}
LOOK: dict[str, Callable[[Account, Json], object]] = {
    "oshara": oshara.read,
    "ozor": ozor_steps.job,
    "ugc_copilot": ugc.check,
    "ulazai": lambda account, task: ulazai.status(account, task["task_id"]),
    "znapai": lambda account, video: znapai.read(account, video["id"]),
}
each_provider = pytest.mark.parametrize("provider", sorted(START))


def follow(account: Account, job: Json) -> None:
    """Ask for *job* every ten seconds until nothing is pending any more."""
    for _ in range(60):
        account.world.advance(10_000)
        LOOK[account.provider](account, job)
        if not account.world.control.get(f"{account.world.path}/clock").json()["pending"]:
            return
    raise AssertionError("the job did not end")
