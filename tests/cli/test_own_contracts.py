"""Contracts of the user's on the command line."""

from __future__ import annotations

import json

import pytest

from screentest.specs.json_types import Json

from .conftest import Shell, send
from .serving import serving_mock

_OPENAPI = """
openapi: 3.0.3
info: {title: Lamp}
paths:
  /lamps:
    get: {operationId: listLamps, responses: {200: {content: {application/json: {example: [a]}}}}}
"""


@pytest.fixture
def lamp(shell: Shell) -> str:
    """A file with an API that no contract of ours has."""
    (shell.folder / "lamp.yaml").write_text(_OPENAPI)
    return "lamp.yaml"


def test_a_lone_file_is_served_beside_the_others(shell: Shell, lamp: str) -> None:
    with serving_mock(shell, "--contract", lamp) as served:
        status, body = send("GET", f"{served.url}/lamp/lamps", None, {})

    assert (status, body) == (200, ["a"])
    assert served.env["LAMP_BASE_URL"].endswith("/lamp")
    assert "OZOR_BASE_URL" in served.env


def test_a_strict_mock_implements_nothing_that_is_not_said(shell: Shell, lamp: str) -> None:
    with serving_mock(shell, "--contract", lamp, "--provider", "lamp", "--strict") as served:
        status, _ = send("GET", f"{served.url}/lamp/lamps", None, {})

    assert (status, set(served.env)) == (501, {"LAMP_BASE_URL", "SCREENTEST_URL"})


def test_list_says_where_each_contract_comes_from(shell: Shell, lamp: str) -> None:
    (shell.folder / "pyproject.toml").write_text(f'[tool.screentest]\ncontracts = ["{lamp}"]\n')

    found = json.loads(shell.run("spec", "list", "--json").out)

    origins = {it["id"]: it["from"] for it in found}
    assert origins.pop("lamp") == f"{shell.folder / lamp} ({shell.folder / 'pyproject.toml'})"
    assert set(origins.values()) == {"screentest"}


def test_run_sets_the_variables_of_the_contract(shell: Shell, lamp: str) -> None:
    answer = shell.run("run", "--contract", lamp, "--", "printenv", "LAMP_BASE_URL")

    assert answer.code == 0, answer.err
    assert answer.out.strip().endswith("/lamp")


def test_file_of_a_folder_means_its_contract(shell: Shell) -> None:
    """A commit hook names the changed files, and not their folder."""
    folder = shell.folder / "lamp"
    folder.mkdir()
    (folder / "behaviour.yaml").write_text("behaviour: 1\nprovider: {id: lamp}\nurl: {}\n")
    (folder / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {}\n")

    answer = shell.run("spec", "lint", "lamp/openapi.yaml", "lamp/behaviour.yaml")

    assert (answer.code, answer.err.splitlines()) == (
        4,
        [
            "error: lamp/behaviour.yaml:3: at url: no field 'url'; did you mean 'urls'?",
            "1 checked, 1 invalid",
        ],
    )


def test_openapi_file_of_another_name_is_checked_alone(shell: Shell) -> None:
    (shell.folder / "behaviour.yaml").write_text("behaviour: 1\nurl: {}\n")
    (shell.folder / "vendor.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n"
    )

    answer = shell.run("spec", "lint", "vendor.yaml")

    assert (answer.code, answer.err) == (0, "1 checked, 0 invalid\n")


def test_wrong_contract_is_exit_code_4_with_each_problem_on_a_line(shell: Shell, lamp: str) -> None:
    (shell.folder / lamp).write_text("openapi: 3.1.0\npaths: {/a: 1, /b: 2}\n")

    served = shell.run("serve", "--contract", lamp)
    linted = shell.run("spec", "lint", lamp)

    assert served.code == linted.code == 4
    assert served.err.splitlines()[:2] == [
        'error: lamp.yaml:2: at paths//a: 1 is not of type "object"',
        'error: lamp.yaml:2: at paths//b: 2 is not of type "object"',
    ]
    assert linted.err.splitlines() == [
        'error: lamp.yaml:2: at paths//a: 1 is not of type "object"',
        'error: lamp.yaml:2: at paths//b: 2 is not of type "object"',
        "1 checked, 1 invalid",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "scheme",
    [
        None,
        {"type": "http", "scheme": "basic"},
        {"type": "oauth2", "flows": {}},
        {"type": "apiKey", "in": "query", "name": "key"},
    ],
)
def test_made_up_requests_judge_any_contract(shell: Shell, scheme: Json) -> None:
    reply = {"description": "lamps", "content": {"application/json": {"schema": {"type": "array"}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Lamp", "version": "1"},
        "security": [{"key": []}] if scheme else [],
        "paths": {"/lamps": {"get": {"operationId": "listLamps", "responses": {"200": reply}}}},
        **({"components": {"securitySchemes": {"key": scheme}}} if scheme else {}),
    }
    (shell.folder / "lamp.json").write_text(json.dumps(document))

    answer = shell.run(
        "verify", "--contract", "lamp.json", "lamp", "--fuzz", "3", "--only", "made-up", "--quiet"
    )

    assert (answer.code, " 0 broken" in answer.out) == (0, True), answer.out + answer.err
