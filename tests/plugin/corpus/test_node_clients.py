"""Bad clients for Node.js are caught and good ones are not accused, whatever the seed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from screentest.mock_server.findings.explanations import explanations
from tests.mock_client import MockWorld, make_world
from tests.znapai.live import LiveMock, live_mock, run_script
from tests.znapai.sdk_install import node_folder_with

pytestmark = [pytest.mark.npm, pytest.mark.sdk, pytest.mark.slow]

_SCRIPT = Path(__file__).with_name("node_clients.mjs")
_SEEDS = (1, 2, 3, 4, 5)
_PROVIDERS = ("ozor", "znapai", "ulazai", "ugc_copilot")
#: axios comes with axios-retry.
_LIBRARIES = ("axios-retry", "openai")
#: The code that each bad client has to be found with, and what its mistake comes from.
_BAD = {
    "repeatsAFetchThatFailed": ("SC210", "Comfy-Org/ComfyUI#16204"),
    "leavesPostsToAxiosRetry": ("SC210", "softonic/axios-retry#66"),
    "leavesPostsToTheOpenaiSdk": ("SC210", "QwenLM/Qwen-Agent#594"),
    "startsARenderForEachClick": ("SC211", "akash console#3449"),
    "doesNotKeepTheAnswer": ("SC212", "ArcReel#160"),
    "givesUpAfterAMinute": ("SC213", "googleapis/js-genai#1074"),
    "waitsForAWordOfAnotherProvider": ("SC214", "genblaze#282"),
    "pollsWithoutAPause": ("SC201", "OZ-232"),
    "neverClearsItsInterval": ("SC202", "ZN-059"),
    "sendsJsonAsText": ("SC105", "OZ-056"),
    "sendsTheKeyInTheHeaderOfAnotherProvider": ("SC104", "ZN-054"),
    "repeatsWhateverFailed": ("SC205", "elbywan/wretch#176"),
    "downloadsWithTheClientOfTheApi": ("SC408", "axios/axios#10711"),
    "keepsHalfAFile": ("SC219", "MiniMax-AI/cli#206"),
}
_GOOD = (
    "pollsWithFetch",
    "readsAgainWithAxiosRetry",
    "usesTheOpenaiSdkWithoutRetriesOfPosts",
    "repeatsWithItsIdempotencyKey",
    "rendersABatchAndUsesAllOfIt",
    "downloadsWithoutHeaders",
)
#: The codes whose explanation is run as it is printed.
_EXPLAINED = ("SC215", "SC216", "SC217", "SC218", "SC219", "SC408")
#: The names of all clients.
BAD = (*_BAD, *(f"{code} wrong" for code in _EXPLAINED))
GOOD = (*_GOOD, *(f"{code} right" for code in _EXPLAINED))


@dataclass(frozen=True)
class Order:
    """One client to run; *code* is that of an explanation."""

    name: str
    client: str
    code: str = ""


def _orders() -> list[Order]:
    shown = {code: explanations()[code].typescript for code in _EXPLAINED}
    return [
        *(Order(name, name) for name in (*_BAD, *_GOOD)),
        *(Order(f"{code} wrong", code, it.wrong) for code, it in shown.items()),
        *(Order(f"{code} right", code, it.right) for code, it in shown.items()),
    ]


def _run(mock: LiveMock, seed: int, folders: Mapping[str, Path]) -> dict[str, list[str]]:
    """The codes that are found about each client, by its name."""
    worlds: dict[str, MockWorld] = {}
    orders: list[Mapping[str, object]] = []
    for it in _orders():
        world = worlds[it.name] = make_world(mock.wsgi, seed=seed)
        accounts = {name: world.account(name) for name in _PROVIDERS}
        place = {
            "origin": mock.origin,
            "id": world.id,
            "accounts": {name: account.id for name, account in accounts.items()},
            "keys": {name: account.api_key for name, account in accounts.items()},
        }
        orders.append({"name": it.name, "client": it.client, "code": it.code, **place})
    node = shutil.which("node")
    assert node is not None
    variables = {
        "ORDERS": json.dumps(orders),
        "FOLDERS": json.dumps({name: str(folder) for name, folder in folders.items()}),
    }
    ended = run_script(node, _SCRIPT, variables=variables)
    assert {name: error for name, error in ended.items() if error} == {}
    return {name: [it["code"] for it in world.findings()] for name, world in worlds.items()}


@pytest.fixture(scope="module")
def found() -> list[dict[str, list[str]]]:
    """What is found about each client, for each seed."""
    folders = {name: node_folder_with(name) for name in _LIBRARIES}
    with live_mock() as mock:
        return [_run(mock, seed, folders) for seed in _SEEDS]


@pytest.mark.parametrize("name", BAD)
def test_bad_client_is_found_with_its_code(found: list[dict[str, list[str]]], name: str) -> None:
    code, source = _BAD.get(name, (name[:5], "the explanation"))

    assert source
    assert [code in it[name] for it in found] == [True] * len(_SEEDS), found


@pytest.mark.parametrize("name", GOOD)
def test_good_client_is_not_accused(found: list[dict[str, list[str]]], name: str) -> None:
    assert [it[name] for it in found] == [[]] * len(_SEEDS)
