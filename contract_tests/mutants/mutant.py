"""A defect as data: the clause that it breaks, and the one change of the mock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema_rs
from msgspec import Struct

from screentest.specs.errors import ContractError
from screentest.specs.files import read_yaml
from screentest.specs.json_types import Json

FOLDER = Path(__file__).parent
SCHEMA_FILE = FOLDER / "mutants.schema.json"


class Mutant(Struct, frozen=True):
    """One defect. *seam* says what is changed, *change* how; *breaks* names the clause.

    *excuse* is the reason why it cannot be seen from outside; empty for the others.
    """

    id: str
    family: str
    summary: str
    breaks: str
    seam: str
    change: Mapping[str, Json]
    is_generated: bool = False
    excuse: str = ""
    more: tuple[Mapping[str, Json], ...] = ()


SEAMS = ("behaviour", "reply", "request", "money", "stream", "delivery")


def read_mutants(path: Path) -> list[Mutant]:
    """The mutants of the file at *path*.

    Raises:
        ContractError: the file breaks its schema.
    """
    raw = read_yaml(path)
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text()))
    for error in validator.iter_errors(raw):
        where = "/".join(str(step) for step in error.instance_path)
        raise ContractError(f"{path}: at {where}: {error.message}")
    return [_mutant(it) for it in raw["mutants"]]


def _mutant(raw: Json) -> Mutant:
    seam = next(name for name in SEAMS if name in raw)
    return Mutant(
        id=raw["id"],
        family=raw["family"],
        summary=raw["summary"],
        breaks=raw["breaks"],
        seam=seam,
        change=raw[seam],
        excuse=raw.get("excuse", ""),
    )


def mutants_of(provider: str) -> list[Mutant]:
    """The hand-written mutants of *provider*; none where there is no file."""
    path = FOLDER / f"{provider}.yaml"
    return read_mutants(path) if path.exists() else []
