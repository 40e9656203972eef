"""`screentest spec explain` and `spec schema`, and the warnings of what has retired."""

from __future__ import annotations

import json

from screentest.specs.contracts.registry import shipped_contracts
from screentest.specs.describing.explanation import explain

from .conftest import Shell
from .serving import serving_mock

_OPENAPI = """
openapi: 3.0.3
info: {title: Lamp}
paths:
  /lamps:
    post: {operationId: createLamp, responses: {201: {description: Made}}}
    get: {operationId: listLamps, responses: {200: {description: All}}}
components:
  securitySchemes: {key: {type: http, scheme: bearer}}
"""
_BEHAVIOUR = """\
behaviour: 1
provider: {id: lamp}
accounts: {initial_credits: 50}
lifecycles:
  lamp:
    source: A1
    states:
      dark: {kind: waiting, lasts_ms: [1000, 2000]}
      lit: {kind: succeeded}
      broken: {kind: failed}
    edges: {dark: [lit, broken], lit: [], broken: []}
resources:
  # guessed: "lamp_", because an example has it
  lamp: {id: "lamp_{hex:8}", lifecycle: lamp}
operations:
  createLamp:
    # guessed: because a POST with an answer that has an id
    #   makes something
    effect: billable
    starts: lamp
    price: {amount: 5 * watts, moment: acceptance} # guessed: 5, because of the text
"""
_READINGS = """\
pace:
  id: A1
  default: slow
  alternatives: {fast: "At once."}
  reason: "The page is silent about it."
"""


def test_explain_shows_each_point_with_its_line_and_basis(shell: Shell) -> None:
    folder = shell.folder / "lamp"
    folder.mkdir()
    (folder / "openapi.yaml").write_text(_OPENAPI)
    (folder / "behaviour.yaml").write_text(_BEHAVIOUR)
    (folder / "readings.yaml").write_text(_READINGS)

    shown = shell.run("spec", "explain", "lamp").out.splitlines()
    document = json.loads(shell.run("spec", "explain", "lamp", "--json").out)

    assert shown[:4] == [
        "states",
        "  lamp: dark (1-2 s) → lit",
        "        dark → broken (failed)",
        "    lamp/behaviour.yaml:5  interpretation (A1)",
    ]
    points = {(it["section"], it["name"]): it for it in document["points"]}
    assert {key: (it["line"], it["basis"]) for key, it in points.items()} == {
        ("states", "lamp"): (5, "interpretation"),
        ("operations", "createLamp"): (16, "assumed"),
        ("operations", "listLamps"): (0, "assumed"),
        ("prices", "a new account"): (3, "assumed"),
        ("prices", "createLamp"): (21, "guessed"),
        ("refusals", "order"): (0, "assumed"),
        ("limits", "sizes"): (0, "assumed"),
        ("interpretations", "pace"): (1, "interpretation"),
    }
    assert points["operations", "listLamps"]["file"] == "lamp/openapi.yaml"
    assert points["prices", "createLamp"]["says"] == "5 * watts, charged at acceptance"
    assert sum(document["verify"]["rules"].values()) > 5


def test_every_point_of_a_packaged_contract_has_a_line() -> None:
    for contract in shipped_contracts():
        points = explain(contract)

        assert len(points) > 40, contract.provider
        assert [it for it in points if it.line == 0] == [], contract.provider
        assert {it.basis for it in points} == {"documented", "interpretation", "assumed"}


def test_a_lone_openapi_file_is_explained(shell: Shell) -> None:
    (shell.folder / "lamp.yaml").write_text(_OPENAPI)

    shown = shell.run("spec", "explain", "lamp.yaml")

    assert shown.code == 0, shown.err
    assert "  createLamp: answers an example, or a value made for its schema" in shown.out


def test_schema_of_a_file_is_printed(shell: Shell) -> None:
    printed = json.loads(shell.run("spec", "schema", "readings").out)

    assert printed["title"] == "readings.yaml of a contract"


def test_what_has_retired_is_a_warning(shell: Shell) -> None:
    folder = shell.folder / "lamp"
    folder.mkdir()
    (folder / "openapi.yaml").write_text(_OPENAPI)
    (folder / "behaviour.yaml").write_text(
        'behaviour: 1\nprovider: {id: lamp}\nretires: [{day: "2020-01-01"}]\n'
    )

    linted = shell.run("spec", "lint", "lamp")
    listed = shell.run("spec", "list", "--contract", "lamp")
    with serving_mock(shell, "--contract", "lamp") as served:
        _, printed = served.stop()

    warning = "warning: lamp: the API retired on 2020-01-01"
    assert (linted.code, linted.err.splitlines()) == (0, [warning, "1 checked, 0 invalid"])
    assert listed.err.splitlines() == [warning]
    assert warning in printed
