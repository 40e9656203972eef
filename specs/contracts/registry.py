"""The contracts of a run: where each one comes from, and each loaded when it is first used.

One object of this kind is made where a program starts, and handed down.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import cache
from pathlib import Path

from msgspec import Struct

from ..behaviour.behaviour import Behaviour
from ..errors import ContractError, UnknownNameError, no_such
from ..files import BEHAVIOUR, placed
from ..project_file import project_table
from .contract import FOLDER, Contract
from .packs import installed_packs
from .profile import problems_of, read_profile

OPTION = "--contract"
VARIABLE = "SCREENTEST_CONTRACTS"
SHIPPED = "screentest"
#: A provider has up to forty interpretations: too many for one line.
_LISTED_MAX = 10


class Source(Struct, frozen=True):
    """Where a contract is, and what named it. *name* is known for what is read when it is used."""

    place: Path
    origin: str
    name: str | None = None


class Contracts:
    """The contracts of *sources*, by the names of their providers.

    Raises:
        ContractError: a contract cannot be read, or two have one name.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources: dict[str, Source] = {}
        self._loaded: dict[str, Contract] = {}
        problems: list[str] = []
        for source in sources:
            try:
                self._add(source)
            except ContractError as error:
                problems += error.problems
        if problems:
            raise ContractError(*problems)

    def _add(self, source: Source) -> None:
        name = source.name
        contract = None
        if name is None:
            # Named by the user: it is checked as a whole before anything is done with it.
            contract = Contract(source.place)
            _ = contract.operations
            name = contract.provider
        other = self._sources.get(name)
        if other is not None and other.place.resolve() == source.place.resolve():
            return
        if other is not None:
            raise ContractError(
                f"two contracts are called {name!r}: {other.place} ({other.origin}) and "
                f"{source.place} ({source.origin})"
            )
        self._sources[name] = source
        if contract is not None:
            self._loaded[name] = contract

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the providers, in alphabetical order."""
        return tuple(sorted(self._sources))

    def __contains__(self, name: str) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[Contract]:
        return (self.load(name) for name in self.names)

    def source(self, name: str) -> Source:
        """Where the contract of *name* comes from."""
        return self._sources[name]

    def places_from(self, origin: str) -> list[Path]:
        """The places of the contracts that *origin* named."""
        return [it.place for it in self._sources.values() if it.origin == origin]

    def profiled(self, paths: Iterable[Path]) -> Contracts:
        """These contracts, as the profiles of real servers in the files *paths* change them.

        Raises:
            ContractError: a file is not a profile, or does not fit its contract.
        """
        other = copy(self)
        other._loaded = dict(self._loaded)
        for path in paths:
            profile = read_profile(path)
            name = profile.provider
            if name not in self:
                problems = {"/provider": no_such("provider", name, self.names)}
            elif other.load(name).profile is not None:
                problems = {"/provider": f"another profile of {name} was given"}
            else:
                problems = dict(problems_of(profile, other.load(name)))
            if problems:
                raise ContractError(*placed(path, problems))
            other._loaded[name] = other.load(name).profiled(profile)
        return other

    def load(self, name: str, readings: Mapping[str, str] | None = None) -> Contract:
        """The contract of the provider *name* under *readings*, loaded on first use and kept.

        *readings* are named as in the command line: `provider.interpretation`. An interpretation
        that is absent has its default reading.

        Raises:
            UnknownNameError: there is no such provider, interpretation or reading.
            ContractError: the readings contradict each other, or the files of the provider do.
        """
        contract = self._contract(name)
        if readings:
            _check_readings(contract.behaviour, readings)
        return contract.under(readings or {})

    def _contract(self, name: str) -> Contract:
        if name not in self._sources:
            raise UnknownNameError(no_such("provider", name, self.names))
        found = self._loaded.get(name)
        if found is None:
            source = self._sources[name]
            found = Contract(source.place)
            if found.provider != name:
                raise ContractError(
                    f"{source.place}: {source.origin} calls this contract {name!r}, and it calls "
                    f"itself {found.provider!r}"
                )
            self._loaded[name] = found
        return found


@cache
def shipped_contracts() -> Contracts:
    """The contracts that come with screentest."""
    paths = sorted(FOLDER.glob(f"*/{BEHAVIOUR}"))
    return Contracts(Source(it.parent, SHIPPED, it.parent.name) for it in paths)


def find_contracts(
    given: Iterable[Path] = (),
    *,
    origin: str = OPTION,
    environ: Mapping[str, str] = os.environ,
    folder: Path | None = None,
) -> Contracts:
    """Every contract that a program in *folder* knows, its own by default.

    In this order: those that were *given*, by *origin*; those that the variable
    `SCREENTEST_CONTRACTS` lists; those of `[tool.screentest] contracts` in the nearest
    pyproject.toml upwards; those of installed packs; those that come with screentest.

    Raises:
        ContractError: a contract cannot be read, or two have one name.
    """
    sources = [Source(it, origin) for it in given]
    listed = environ.get(VARIABLE, "").split(os.pathsep)
    sources += [Source(Path(it), VARIABLE) for it in listed if it.strip()]
    path, table = project_table(folder)
    if path is not None:
        named = table.get("contracts", [])
        sources += [Source(path.parent / it, str(path)) for it in named]
    sources += [Source(it.place, it.distribution, it.name) for it in installed_packs(sys.path)]
    shipped = shipped_contracts()
    if not sources:
        return shipped
    return Contracts([*sources, *(shipped.source(name) for name in shipped.names)])


def load_contract(name: str | Path, readings: Mapping[str, str] | None = None) -> Contract:
    """The contract of the provider *name* that comes with screentest, or the one at a path.

    A path is a folder with an OpenAPI file, or such a file alone.

    Raises:
        UnknownNameError: there is no such provider, interpretation or reading.
        ContractError: the contract cannot be read, or the readings contradict each other.
    """
    if isinstance(name, Path) or os.sep in name or name.endswith((".yaml", ".yml", ".json")):
        known = Contracts([Source(Path(name), "load_contract")])
        return known.load(known.names[0], readings)
    return shipped_contracts().load(name, readings)


def _check_readings(behaviour: Behaviour, readings: Mapping[str, str]) -> None:
    """Every one of *readings* names an interpretation of the provider, and a reading of it."""
    known = {f"{behaviour.provider}.{it.name}": it for it in behaviour.interpretations.values()}
    for name, value in readings.items():
        if name not in known:
            raise UnknownNameError(no_such("interpretation", name, known, listed_max=_LISTED_MAX))
        values = (known[name].default, *known[name].alternatives)
        if value not in values:
            raise UnknownNameError(no_such(f"reading of {name}", value, values))
