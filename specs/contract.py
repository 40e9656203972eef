"""A provider's contract: its OpenAPI file and its behaviour file, loaded and checked together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache, cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from .behaviour import Behaviour
from .behaviour_file import merge_patch, read_behaviour
from .errors import ContractError, no_such
from .files import read_as_built, read_yaml
from .json_types import Json

if TYPE_CHECKING:
    from .operations import Operation, Routes

_FOLDER = Path(__file__).parent

#: Combinations of readings kept ready; whoever switches through more waits for each again.
_READINGS_MAX = 64


class Contract:
    """What a provider promises: over time (*behaviour*) and in shape (everything else).

    The OpenAPI file is much the larger one; it is read and compiled when it is first asked for, so
    that a server with many providers starts at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "behaviour.yaml"
        # What was built was checked before it: that the checks pass is a test of ours.
        built = read_as_built(file)
        self._rules: Json = built if built is not None else read_yaml(file)
        self.behaviour: Behaviour = self._behaviour(self._rules, is_checked=built is not None)
        self._overrides: Mapping[str, Mapping[str, Json]] = {
            f"{self.provider}.{it.name}": it.overrides
            for it in self.behaviour.interpretations.values()
            if it.overrides
        }
        self._lock = Lock()
        self._read_kept = lru_cache(_READINGS_MAX)(self._read)

    def under(self, choices: Mapping[str, str]) -> Contract:
        """This contract with the rules of the readings chosen, by `provider.interpretation`.

        Raises:
            ContractError: the readings do not go together.
        """
        if not choices:
            return self
        chosen = tuple(
            (name, choices[name])
            for name, overrides in self._overrides.items()
            if choices.get(name) in overrides
        )
        return self._read_kept(chosen) if chosen else self

    def readings(self) -> Iterator[Contract]:
        """This contract under each single reading that has rules of its own.

        Raises:
            ContractError: such rules are wrong.
        """
        for name, overrides in self._overrides.items():
            for value in overrides:
                yield self.under({name: value})

    def _read(self, chosen: tuple[tuple[str, str], ...]) -> Contract:
        rules = self._rules
        for name, value in chosen:
            rules = merge_patch(rules, self._overrides[name][value])
        document, operations, _ = self._shape  # compiled before the copy, so that both share it
        other = copy(self)
        other.behaviour = self._behaviour(rules)
        _check_agreement(self.folder, other.behaviour, operations, document)
        return other

    def _behaviour(self, rules: Json, *, is_checked: bool = False) -> Behaviour:
        return read_behaviour(rules, self.folder / "behaviour.yaml", is_checked=is_checked)

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return self.behaviour.provider

    @cached_property
    def _shape(self) -> tuple[Json, Mapping[str, Operation], Routes]:
        from .operations import Routes, compile_operations
        from .validation import Documents

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
        raise ContractError(no_such("provider", provider, provider_names()))
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
