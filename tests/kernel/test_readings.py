"""Readings with rules of their own: what they put in place of the behaviour file's."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from shutil import copytree

import pytest
import yaml
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.behaviour.behaviour_file import merge_patch
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

from ..mock_client import make_world

_LANTERN = Path(__file__).parents[1] / "lantern"
#: Two readings that are right alone: the second changes what the first takes away.
_READINGS = {
    "strangers": {
        "id": "X1",
        "default": "hidden",
        "alternatives": {
            "detail": {"says": "403.", "rules": {"refusals": {"trailing_slash": "redirect_307"}}},
            "drawn": "The module does it.",
        },
        "reason": "Nothing is said of it.",
    },
    "cap": {
        "id": "X2",
        "default": "two",
        "alternatives": {
            "none": {"says": "No cap.", "rules": {"concurrency": None}},
        },
        "reason": "Nothing is said of it.",
    },
    "cap_scope": {
        "id": "X3",
        "default": "key",
        "alternatives": {
            "account": {"says": "By account.", "rules": {"concurrency": {"scope": "account"}}},
        },
        "reason": "Nothing is said of it.",
    },
}


def lantern(folder: Path, readings: Json = _READINGS) -> Contract:
    """The contract of the tests' own provider, with a cap and *readings*."""
    copytree(_LANTERN, folder, dirs_exist_ok=True)
    path = folder / "behaviour.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules["concurrency"] = {"limits": {"default": 2}, "scope": "key", "source": "LT-01"}
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    (folder / "readings.yaml").write_text(yaml.safe_dump(readings), encoding="utf-8")
    return read_contract(folder)


def test_a_patch_changes_by_name_removes_by_null_and_replaces_lists() -> None:
    rules = {"order": ["a", "b"], "cap": {"limit": 3, "wait_s": 5}, "kept": 1}

    merged = merge_patch(rules, {"order": ["b"], "cap": {"limit": 4, "wait_s": None}, "new": {}})

    assert merged == {"order": ["b"], "cap": {"limit": 4}, "kept": 1, "new": {}}
    assert rules == {"order": ["a", "b"], "cap": {"limit": 3, "wait_s": 5}, "kept": 1}


def test_rules_of_a_reading_hold_where_it_is_chosen_alone(tmp_path: Path) -> None:
    contract = lantern(tmp_path)

    chosen = contract.under({"lantern.cap_scope": "account", "other.cap": "none"})

    assert chosen.behaviour.concurrency is not None
    assert chosen.behaviour.concurrency.scope == "account"
    assert contract.behaviour.concurrency is not None
    assert contract.behaviour.concurrency.scope == "key"
    assert chosen.operations is contract.operations


def test_readings_without_rules_leave_the_rules_and_shapes_as_they_are(tmp_path: Path) -> None:
    contract = lantern(tmp_path)

    drawn = contract.under({"lantern.strangers": "drawn", "lantern.cap": "two"})

    assert contract.under({}) is contract
    assert contract.under({"lantern.cap": "two"}) is contract
    assert (drawn.behaviour, drawn.document) == (contract.behaviour, contract.document)
    assert (contract.reading_of("strangers"), drawn.reading_of("strangers")) == ("hidden", "drawn")


def test_readings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    contract = lantern(tmp_path)

    with pytest.raises(ContractError, match='at concurrency: "limits" is a required property'):
        contract.under({"lantern.cap": "none", "lantern.cap_scope": "account"})


def test_contradicting_readings_leave_a_world_as_it_was(tmp_path: Path) -> None:
    wsgi = WsgiClient(create_app(contracts=[lantern(tmp_path)]))
    world = make_world(wsgi)
    world.choose(lantern__cap="none")

    answer = world.control.patch(
        f"{world.path}/interpretations", json={"lantern.cap_scope": "account"}
    )

    assert (answer.status, answer.json()["code"]) == (422, "unknown_reading")
    assert answer.json()["detail"].startswith("these readings contradict each other: ")
    readings = world.control.get(f"{world.path}/interpretations").json()
    assert [readings[f"lantern.{name}"]["value"] for name in ("cap", "cap_scope")] == [
        "none",
        "key",
    ]


def test_a_reading_that_breaks_the_rules_of_the_file_is_found_by_trying_all(
    tmp_path: Path,
) -> None:
    bad = {"says": "Nonsense.", "rules": {"refusals": {"foreign": "shrug"}}}
    wrong = _READINGS["strangers"] | {"alternatives": {"shrug": bad}}
    contract = lantern(tmp_path, {"strangers": wrong})

    with pytest.raises(
        ContractError,
        match="^with lantern.strangers=shrug: .*at refusals/foreign: no value 'shrug'",
    ):
        list(contract.readings())


def test_a_reply_that_departs_by_an_unknown_reading_is_refused(tmp_path: Path) -> None:
    path = lantern(tmp_path).folder / "behaviour.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules["refusals"]["replies"]["invalid"]["departure"] = "nowhere"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")

    with pytest.raises(ContractError, match="invalid/departure: no interpretation 'nowhere'"):
        read_contract(tmp_path)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_any_two_readings_of_a_provider_go_together(provider: str) -> None:
    contract = load_contract(provider)
    chosen = [
        (f"{provider}.{it.name}", value)
        for it in contract.behaviour.interpretations.values()
        for value in sorted(it.patched)
    ]

    pairs = [dict(pair) for pair in combinations(chosen, 2)]

    assert all(contract.under(pair) is not contract for pair in pairs)
