"""Every citation of a clause fits the place that cites it.

A contract, or a mutant, may cite a clause only where both are about the same subject.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from screentest.contract_tests.mutants.mutant import FOLDER as MUTANTS
from screentest.contract_tests.mutants.mutant import mutants_of, read_mutants
from screentest.specs.clauses.citing_places import (
    CitingPlace,
    citable_subjects,
    citing_places,
    problems_in,
)
from screentest.specs.contracts.contract import Contract, read_contract
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from screentest.specs.linting.lint import problems_of

from .mutant_subjects import citing_mutants

#: A clause about neither the credentials, nor the first operation, nor the first mutant.
STRANGE = {
    "oshara": "OS-052",
    "ozor": "OZ-124",
    "ugc_copilot": "UG-086",
    "ulazai": "UL-048",
    "znapai": "ZN-052",
}
#: The least share of wrong citations that must be found.
DETECTED_MIN = 0.9


def _places(contract: Contract) -> list[CitingPlace]:
    provider = contract.provider
    return [*citing_places(contract), *citing_mutants(contract, mutants_of(provider))]


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_every_citation_fits_its_place(provider: str) -> None:
    contract = load_contract(provider)

    found = problems_in(_places(contract), citable_subjects(contract))

    assert found == [], "\n".join(found)


def _changed_copy(contract: Contract, folder: Path, file: str, document: Json) -> Contract:
    for path in contract.folder.glob("*.yaml"):
        shutil.copy(path, folder)
    (folder / file).write_text(yaml.safe_dump(document, sort_keys=False))
    return read_contract(folder)


def _cites(problems: Sequence[str], place: str, clause: str) -> bool:
    return any(it.startswith(place) and f": cites {clause} " in it for it in problems)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_a_wrong_citation_in_a_behaviour_file_is_found(provider: str, tmp_path: Path) -> None:
    contract, strange = load_contract(provider), STRANGE[provider]
    document = yaml.safe_load((contract.folder / "behaviour.yaml").read_text())
    scheme = next(iter(document["credentials"]))
    document["credentials"][scheme]["source"] = strange

    changed = _changed_copy(contract, tmp_path, "behaviour.yaml", document)

    problems = list(problems_of(changed.folder))
    assert _cites(problems, f"{tmp_path}/behaviour.yaml: credentials/{scheme}", strange)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_a_wrong_citation_in_an_openapi_file_is_found(provider: str, tmp_path: Path) -> None:
    contract, strange = load_contract(provider), STRANGE[provider]
    document = yaml.safe_load((contract.folder / "openapi.yaml").read_text())
    path, item = next(iter(document["paths"].items()))
    item["post"]["x-screentest-source"].append(strange)

    changed = _changed_copy(contract, tmp_path, "openapi.yaml", document)

    problems = problems_in(citing_places(changed), citable_subjects(changed))
    assert _cites(problems, f"openapi.yaml: paths/{path}/post", strange)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_a_wrong_citation_in_a_mutant_file_is_found(provider: str, tmp_path: Path) -> None:
    contract, strange = load_contract(provider), STRANGE[provider]
    document = yaml.safe_load((MUTANTS / f"{provider}.yaml").read_text())
    first = document["mutants"][0]
    first["breaks"] = strange
    path = tmp_path / f"{provider}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))

    places = citing_mutants(contract, read_mutants(path))

    problems = problems_in(places, citable_subjects(contract))
    assert _cites(problems, f"mutants/{provider}.yaml: {first['id']}", strange)


def test_a_citation_of_an_unknown_clause_is_found() -> None:
    contract = load_contract("ulazai")
    place = CitingPlace("here", ("UL-999",), citable_subjects(contract)["UL-001"])

    assert problems_in([place], citable_subjects(contract)) == [
        "here: cites UL-999, which does not exist"
    ]


def test_nearly_every_wrong_clause_in_the_place_of_a_right_one_is_found() -> None:
    """Each citation, but those in the list of a whole operation, by each clause of the provider."""
    tried = found = 0
    for provider in shipped_contracts().names:
        contract = load_contract(provider)
        known = citable_subjects(contract)
        for place in (it for it in _places(contract) if not it.is_whole):
            others = [
                it for clause, it in known.items() if clause not in place.ids and "-" in clause
            ]
            tried += len(others)
            found += sum(not it.fits(place.about) for it in others)

    assert tried > 50_000
    assert found / tried >= DETECTED_MIN
