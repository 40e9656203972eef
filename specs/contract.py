"""A provider's contract: its OpenAPI file and its behaviour file, loaded and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from .behaviour import Behaviour
from .behaviour_file import load_behaviour
from .errors import ContractError
from .files import read_yaml
from .operations import Operation, Routes, compile_operations
from .validation import Documents

Json = Any

_FOLDER = Path(__file__).parent


class Contract:
    """What a provider promises: over time (*behaviour*) and in shape (everything else).

    The OpenAPI file is much the larger one; it is read and compiled when it is first asked for, so
    that a server with many providers starts at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.behaviour: Behaviour = load_behaviour(folder / "behaviour.yaml")
        self._lock = Lock()

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return self.behaviour.provider

    @cached_property
    def _shape(self) -> tuple[Json, Mapping[str, Operation], Routes]:
        with self._lock:
            document = read_yaml(self.folder / "openapi.yaml")
            operations = compile_operations(Documents(self.provider, document))
            _check_agreement(self.folder, self.behaviour, operations, document)
            return document, operations, Routes(list(operations.values()))

    @property
    def document(self) -> Json:
        """The OpenAPI document as it stands in the file.

        Raises:
            ContractError: the file is wrong, or does not fit to the behaviour file.
        """
        return self._shape[0]

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by id."""
        return self._shape[1]

    @property
    def routes(self) -> Routes:
        """The operations by method and path."""
        return self._shape[2]


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
        ContractError: the behaviour file is missing or wrong. The other is read on first use.
    """
    return Contract(folder)


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
