"""Where contracts are found: one order for every program, and no two of one name."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.registry import find_contracts, load_contract, shipped_contracts
from screentest.specs.errors import ContractError, UnknownNameError

_SHIPPED = ("oshara", "ozor", "ugc_copilot", "ulazai", "znapai")


def _contract(folder: Path, name: str) -> Path:
    """A folder with a contract of the provider *name*."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "openapi.yaml").write_text(
        "openapi: 3.1.0\npaths: {/lamps: {get: {operationId: listLamps, responses: {200: {content: "
        "{application/json: {schema: {type: array, items: {type: string}}}}}}}}}\n"
    )
    (place / "behaviour.yaml").write_text(f"behaviour: 1\nprovider: {{id: {name}}}\n")
    return place


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with one pack that must not be imported."""
    site = tmp_path / "site"
    package = _contract(site, "lamp_pack_of_a_test")
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "behaviour.yaml").write_text("behaviour: 1\nprovider: {id: packed}\n")
    info = site / "lamp_pack-1.2.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(
        "[console_scripts]\nlamp = lamp:main\n"
        "[screentest.contracts]\npacked = lamp_pack_of_a_test\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    return site


def test_contracts_are_found_in_all_five_places(tmp_path: Path, packs: Path) -> None:
    given, listed, named = (_contract(tmp_path, it) for it in ("given", "listed", "named"))
    (tmp_path / "pyproject.toml").write_text('[tool.screentest]\ncontracts = ["named"]\n')
    variables = {"SCREENTEST_CONTRACTS": f"{listed}{os.pathsep}"}

    found = find_contracts([given], environ=variables, folder=tmp_path / "given")

    assert found.names == tuple(sorted(("given", "listed", "named", "packed", *_SHIPPED)))
    assert {it: found.source(it).origin for it in ("given", "listed", "named", "packed")} == {
        "given": "--contract",
        "listed": "SCREENTEST_CONTRACTS",
        "named": str(tmp_path / "pyproject.toml"),
        "packed": "lamp_pack 1.2",
    }
    assert found.source("named").place == named
    assert [it.provider for it in found] == list(found.names)
    assert "lamp_pack_of_a_test" not in sys.modules


def test_without_any_place_there_are_those_that_come_with_screentest(tmp_path: Path) -> None:
    assert find_contracts(environ={}, folder=tmp_path) is shipped_contracts()
    assert shipped_contracts().names == _SHIPPED


def test_two_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    one, other = _contract(tmp_path / "a", "lamp"), _contract(tmp_path / "b", "lamp")
    ozor = _contract(tmp_path, "ozor")

    with pytest.raises(ContractError) as raised:
        find_contracts([one, other, ozor], environ={}, folder=tmp_path)

    first, second = raised.value.problems
    assert first == f"two contracts are called 'lamp': {one} (--contract) and {other} (--contract)"
    assert re.fullmatch(rf"two .* 'ozor': {ozor} \(--contract\) and .*/ozor \(screentest\)", second)


def test_one_place_may_be_named_twice(tmp_path: Path) -> None:
    place = _contract(tmp_path, "lamp")

    found = find_contracts([place], environ={"SCREENTEST_CONTRACTS": f"{place}/."}, folder=tmp_path)

    assert "lamp" in found


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "lamp: no OpenAPI file here; name it openapi.yaml or openapi.json"),
        ({"openapi.yaml": "openapi: 3.1.0\n"}, 'openapi.yaml:1: "paths" is a required property'),
        (
            {"openapi.yaml": "openapi: 3.1.0\npaths: {}", "behaviour.yaml": "behaviour: 1\nx: 2"},
            "behaviour.yaml:2: at x: no field 'x' (there are ",
        ),
        (
            {
                "openapi.yaml": "openapi: 3.1.0\npaths: {}",
                "behaviour.yaml": "behaviour: 1\nchecks: {}",
            },
            "behaviour.yaml:2: at checks: this section is a file of its own, checks.yaml, beside "
            "this one",
        ),
        (
            {
                "openapi.yaml": "openapi: 3.1.0\npaths: {}",
                "behaviour.yaml": "behaviour: 1\noperations:\n  makeLamp:\n    price:\n"
                "      amount: 5 *\n      moment: acceptance\n",
            },
            "behaviour.yaml:5: at operations/makeLamp/price/amount: ",
        ),
        (
            {
                "openapi.yaml": "openapi: 3.1.0\npaths: {}",
                "behaviour.yaml": "behaviour: 1",
                "readings.yaml": "pace:\n  id: A1\n  default: slow\n  reason: Nothing is said.",
            },
            'readings.yaml:1: at pace: "alternatives" is a required property',
        ),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_done(
    tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    folder = tmp_path / "lamp"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)

    with pytest.raises(ContractError) as raised:
        find_contracts([folder], environ={}, folder=tmp_path)

    assert problem in str(raised.value)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("openapi: 3.1.0\npaths: {}")
    folder = tmp_path / "lamp"
    folder.mkdir()
    (folder / "openapi.yaml").symlink_to(tmp_path / "other.yaml")

    with pytest.raises(ContractError, match="a symbolic link outside of the folder"):
        find_contracts([folder], environ={}, folder=tmp_path)


def test_a_contract_is_loaded_by_its_path(tmp_path: Path) -> None:
    place = _contract(tmp_path, "lamp")

    assert load_contract(place).provider == "lamp"
    assert load_contract(str(place / "openapi.yaml")).provider == "lamp"
    assert load_contract("ozor") is shipped_contracts().load("ozor")
    with pytest.raises(UnknownNameError, match="no provider 'ozr'; did you mean 'ozor'"):
        load_contract("ozr")


_CODE = """
from screentest.mock_server.engine.provider import Call, Provider, Reply

provider = Provider("lamp")


@provider.operation("listLamps")
def list_lamps(call: Call) -> Reply:
    return Reply(200, ["a lamp"])
"""


def test_a_contract_may_bring_functions(tmp_path: Path) -> None:
    place = _contract(tmp_path, "lamp")
    (place / "provider.py").write_text(_CODE)

    client = Client(create_app(contracts=[load_contract(place)]))

    assert client.get("/lamp/lamps").get_json() == ["a lamp"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("x = 1\nraise ValueError('no lamp')\n", ":2: this file cannot be loaded: ValueError: no"),
        ("import sys\nsys.exit(3)\n", ":2: this file cannot be loaded: SystemExit: 3"),
        ("def broken(:\n", ":1: this file cannot be loaded: SyntaxError: invalid syntax"),
        ("x = 1\n", ":1: expected a line `provider = Provider('lamp')`"),
        (_CODE.replace('"lamp"', '"lamb"'), ":1: expected a line `provider = Provider('lamp')`"),
    ],
)
def test_functions_that_cannot_be_loaded_are_one_problem(
    tmp_path: Path, code: str, problem: str
) -> None:
    place = _contract(tmp_path, "lamp")
    (place / "provider.py").write_text(code)

    with pytest.raises(ContractError) as raised:
        create_app(contracts=[load_contract(place)])

    assert str(raised.value).startswith(f"{place / 'provider.py'}{problem}")
