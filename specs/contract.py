"""A provider's contract: its OpenAPI file and its behaviour file, loaded and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .behaviour import Behaviour, load_behaviour
from .errors import ContractError
from .files import read_yaml
from .operations import Operation, Routes, compile_operations
from .validation import Documents

Json = Any

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contract:
    """What a provider promises, in shape (*operations*) and over time (*behaviour*)."""

    provider: str
    behaviour: Behaviour
    document: Json
    operations: Mapping[str, Operation]
    routes: Routes


def provider_names() -> tuple[str, ...]:
    """The providers that have a contract here, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/behaviour.yaml")))


@cache
def load_contract(provider: str) -> Contract:
    """The contract of *provider*, compiled on first use and kept.

    Raises:
        ContractError: there is no such provider, or its files contradict each other.
    """
    if provider not in provider_names():
        known = ", ".join(provider_names())
        raise ContractError(f"no contract for {provider!r} (there are: {known})")
    return read_contract(_FOLDER / provider)


def read_contract(folder: Path) -> Contract:
    """The contract in *folder*, which holds `openapi.yaml` and `behaviour.yaml`.

    Raises:
        ContractError: a file is missing or wrong, or the two do not fit together.
    """
    behaviour = load_behaviour(folder / "behaviour.yaml")
    document = read_yaml(folder / "openapi.yaml")
    operations = compile_operations(Documents(behaviour.provider, document))
    _check_agreement(folder, behaviour, operations, document)
    return Contract(
        provider=behaviour.provider,
        behaviour=behaviour,
        document=document,
        operations=operations,
        routes=Routes(list(operations.values())),
    )


def _check_agreement(
    folder: Path, behaviour: Behaviour, operations: Mapping[str, Operation], document: Json
) -> None:
    """Every operation is described in both files, and by the same security schemes."""
    only_shape = operations.keys() - behaviour.operations.keys()
    only_rules = behaviour.operations.keys() - operations.keys()
    if only_shape or only_rules:
        raise ContractError(
            f"{folder}: openapi.yaml and behaviour.yaml name different operations: "
            f"{sorted(only_shape)} only in the first, {sorted(only_rules)} only in the second"
        )
    schemes = document.get("components", {}).get("securitySchemes", {}).keys()
    if schemes != behaviour.credentials.keys():
        raise ContractError(
            f"{folder}: security schemes {sorted(schemes)} and credentials "
            f"{sorted(behaviour.credentials)} differ"
        )
