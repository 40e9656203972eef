"""`screentest new` with the files of real vendors, which are not shipped."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document
from screentest.specs.openapi.generating import generate

from .lamp import served, verified

_SAMPLES = os.environ.get("SCREENTEST_OPENAPI_SAMPLES", "")

pytestmark = pytest.mark.skipif(not _SAMPLES, reason="SCREENTEST_OPENAPI_SAMPLES names no folder")


def _drafted(folder: Path, name: str) -> Contract:
    source = Path(_SAMPLES, f"{name}.json")
    webhooks = Path(_SAMPLES, f"{name}.webhooks.json")
    events = read_document(webhooks) if webhooks.exists() else None
    draft = draft_contract(name, read_document(source), events=events)
    return write_contract(folder / name, source.read_text(), draft)


@pytest.mark.parametrize(("name", "jobs"), [("magic_hour", 28), ("heygen", 8)])
def test_a_public_file_gives_jobs_that_end(tmp_path: Path, name: str, jobs: int) -> None:
    contract = _drafted(tmp_path, name)
    account = served(tmp_path / name)
    account.set_credits(1_000_000)
    made: list[Json] = []
    for id_, rules in read_contract(tmp_path / name).behaviour.operations.items():
        kind = contract.behaviour.resources.get(rules.starts or "")
        is_job = kind is not None and kind.lifecycle is not None
        # What is made inside of another resource needs that one first.
        if rules.does != "create" or not is_job or rules.targets:
            continue
        operation = contract.operations[id_]
        schema = operation.body_schema("application/json")
        body = generate(schema, Random(1)) if schema is not None else None
        answer = account.client.request(operation.method, operation.path, json=body)
        assert answer.status < 300, (id_, answer.text)
        made.append(id_)

    account.world.advance_until_idle()
    found = account.world.control.get(f"{account.world.path}/jobs", query={"limit": 200}).json()
    states = {it["state"] for it in found["items"]}

    assert len(made) >= jobs
    assert states <= {"complete", "completed"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["magic_hour", "heygen"])
def test_the_draft_of_a_public_file_passes_its_own_verification(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    contract = _drafted(tmp_path, name)

    assert verified(contract.folder, monkeypatch) == Exit.OK, capfd.readouterr().out
