"""Drafts of the examples' OpenAPI files, compared with the behaviour that is written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.contracts.contract import read_contract
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract, yaml_text

from ..tree import ROOT
from .lamp import verified

#: What a draft does not find: an operation whose path names a resource that no operation creates.
_NOT_FOUND = {"replicate": {"createModelPrediction"}}


@pytest.mark.parametrize("name", ["luma", "magic_hour", "replicate", "runway"])
def test_a_draft_does_what_is_written_by_hand(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    written = read_contract(ROOT / "examples" / name)
    by_hand = {
        id_: it.does
        for id_, it in written.behaviour.operations.items()
        if it.does in {"create", "read", "list", "cancel", "delete"}
        and id_ not in _NOT_FOUND.get(name, ())
    }
    (lifecycle,) = written.behaviour.lifecycles.values()

    draft = draft_contract(name, written.document)
    (states,) = (it["states"] for it in draft.rules["lifecycles"].values())
    contract = write_contract(tmp_path / name, yaml_text(written.document), draft)

    assert {id_: it["does"] for id_, it in draft.rules["operations"].items()} == by_hand
    assert {it.name: it.kind.value for it in lifecycle.states.values()}.items() <= {
        state: it["kind"] for state, it in states.items()
    }.items()
    assert verified(contract.folder, monkeypatch) == Exit.OK, capfd.readouterr().out
