"""A provider's contract: the files of its folder, loaded and checked together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cached_property, lru_cache, reduce
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..behaviour.behaviour import Behaviour
from ..behaviour.behaviour_file import check_file, merge_patch, read_behaviour
from ..errors import ContractError, UnknownNameError, no_such
from ..files import BEHAVIOUR, OPENAPI, READINGS, placed, read_as_built, read_yaml
from ..json_types import Json
from ..openapi.document_file import openapi_file, read_document
from .profile import Profile

if TYPE_CHECKING:
    from ..openapi.operations import Operation
    from ..openapi.routes import Routes

    _Shape = tuple[Json, Mapping[str, Operation], Routes]

#: The folder with one folder for each packaged provider.
FOLDER = Path(__file__).parent.parent
#: A provider may have hundreds of operations: too many for one line.
_LISTED_MAX = 10

#: Combinations of readings that stay compiled. The least recently used one is compiled again.
_READINGS_MAX = 64

#: Readings in the order of the behaviour file, each as (`provider.interpretation`, value).
_Chosen = tuple[tuple[str, str], ...]


class Contract:
    """What a provider promises: over time (*behaviour*) and in shape (everything else).

    The OpenAPI file is much the larger one; it is read and compiled on first use, so that a server
    with many providers starts at once. The same holds for the shapes of each set of readings.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place if place.is_dir() else place.parent
        # An OpenAPI file that is given alone has no behaviour, whatever files are beside it.
        self._has_rules = self.folder == place and (place / BEHAVIOUR).exists()
        #: The OpenAPI document as the file has it, where the file was read already.
        self._document: Json = None
        #: The other files as they are written, by name, those that were read.
        self._files: dict[str, Json] = {}
        self._chosen: _Chosen = ()
        self._reshaped: _Chosen = ()
        #: What a real server was seen to do, if this contract follows it.
        self.profile: Profile | None = None
        if not self._is_as_built():
            self._check_files()
        self.behaviour: Behaviour = self._behaviour()
        known = self.behaviour.interpretations.values()
        self._switches = {f"{self.provider}.{it.name}": it for it in known}
        # Reentrant: the shapes of a reading are made from those of the file.
        self._lock = RLock()
        self._compiled = lru_cache(_READINGS_MAX)(self._compile)
        self._under = lru_cache(_READINGS_MAX)(self._read)

    def _is_as_built(self) -> bool:
        """Whether the files are those of the build; a test of ours has checked them."""
        if not self._has_rules:
            return False
        for name in (BEHAVIOUR, READINGS):
            path = self.folder / name
            if path.exists():
                built = read_as_built(path)
                if built is None:
                    return False
                self._files[name] = built
        return True

    def _check_files(self) -> None:
        """Read the OpenAPI file, and check what the mock needs of the others.

        Raises:
            ContractError: a file is wrong; it has the problems of all.
        """
        problems: list[str] = []
        for name in (BEHAVIOUR, READINGS):
            path = self.folder / name
            try:
                if self._has_rules and path.exists():
                    self._files[name] = read_yaml(path)
                    check_file(self._files[name], path)
            except ContractError as error:
                problems += error.problems
        try:
            self._document = read_document(openapi_file(self.place))
        except ContractError as error:
            problems += error.problems
        if problems:
            raise ContractError(*problems)

    def content(self, name: str) -> Json:
        """The content of the file *name* under the readings chosen; empty without such a file.

        Raises:
            ContractError: the file cannot be read.
        """
        if name not in self._files:
            path = self.folder / name
            self._files[name] = read_yaml(path) if self._has_rules and path.exists() else {}
        changes = [
            found[value]
            for switch, value in self._chosen
            if value in (found := self._switches[switch].patches.get(name, {}))
        ]
        return reduce(merge_patch, changes, self._files[name])

    def under(self, choices: Mapping[str, str]) -> Contract:
        """This contract with the rules and shapes of *choices*, by `provider.interpretation`.

        Interpretations of other providers are ignored, as are unknown readings.

        Raises:
            ContractError: the readings contradict each other.
        """
        if self.profile is not None:
            choices = {**self.profile.readings, **choices}
        if not choices:
            return self
        chosen = tuple(
            (name, choices[name])
            for name, it in self._switches.items()
            if choices.get(name) in it.alternatives
        )
        return self._under(chosen) if chosen or self._chosen else self

    def profiled(self, profile: Profile) -> Contract:
        """This contract with the durations, further fields and readings of a real server.

        Readings that are chosen later take precedence.

        Raises:
            ContractError: the readings contradict each other.
        """
        other = copy(self)
        rules = merge_patch(self.content(BEHAVIOUR), profile.rules)
        other._files = {**self._files, BEHAVIOUR: rules}
        other.profile = profile
        other.behaviour = other._behaviour()
        other._under = lru_cache(_READINGS_MAX)(other._read)
        return other.under({})

    def readings(self) -> Iterator[Contract]:
        """This contract under each single reading that has a patch.

        Raises:
            ContractError: a patch is wrong.
        """
        for name, it in self._switches.items():
            for value in it.alternatives:
                if value in it.patched:
                    yield self.under({name: value})

    def _read(self, chosen: _Chosen) -> Contract:
        other = copy(self)
        for made in ("_shape", "in_force"):
            other.__dict__.pop(made, None)
        other._chosen = chosen
        if other.content(BEHAVIOUR) is not self.content(BEHAVIOUR):
            try:
                check_file(other.content(BEHAVIOUR), self.folder / BEHAVIOUR)
                other.behaviour = other._behaviour()
            except ContractError as error:
                problems = (f"with {_listed(chosen)}: {it}" for it in error.problems)
                raise ContractError(*problems) from None
        other._reshaped = tuple(
            it for it in chosen if it[1] in self._switches[it[0]].patches[OPENAPI]
        )
        other._shape  # noqa: B018  readings that contradict each other are refused here
        return other

    def _behaviour(self) -> Behaviour:
        rules = self.content(BEHAVIOUR)
        if self._document is not None:
            # Not at the top: an installed contract leaves nothing out.
            from .defaults import completed

            rules = completed(rules, self._document, openapi_file(self.place))
        return read_behaviour(rules, self.content(READINGS), self.folder / BEHAVIOUR)

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return self.behaviour.provider

    @property
    def has_other_readings(self) -> bool:
        """Whether an interpretation has another reading than its default."""
        return bool(self._chosen)

    def reading_of(self, interpretation: str) -> str:
        """The reading of *interpretation* in force, by its name in the behaviour file.

        Raises:
            UnknownNameError: there is no such interpretation.
        """
        found = self.in_force.get(interpretation)
        if found is None:
            name = f"{self.provider}.{interpretation}"
            raise UnknownNameError(
                no_such("interpretation", name, self._switches, listed_max=_LISTED_MAX)
            )
        return found

    @cached_property
    def in_force(self) -> Mapping[str, str]:
        """The readings in force by interpretation."""
        defaults = {it.name: it.default for it in self._switches.values()}
        return defaults | {self._switches[name].name: it for name, it in self._chosen}

    @property
    def is_shipped(self) -> bool:
        """Whether this contract comes with screentest; if not, its mistakes are the user's."""
        return self.folder.resolve().parent == FOLDER.resolve()

    @property
    def has_functions(self) -> bool:
        """Whether the provider has functions, which may do what no file says."""
        return self.is_shipped or self.code_file is not None

    @property
    def code_file(self) -> Path | None:
        """The Python file of a contract of the user's, with what data cannot say."""
        path = self.folder / "provider.py"
        return path if self._has_rules and not self.is_shipped and path.is_file() else None

    @cached_property
    def _shape(self) -> _Shape:
        with self._lock:
            document, operations, routes = self._compiled(self._reshaped)
        _check_agreement(self, operations, document)
        # A document with one security rule for everything can only be opened here and there by the
        # behaviour file.
        opened = {
            id_: replace(operations[id_], security=(), security_sets=())
            for id_, rules in self.behaviour.operations.items()
            if rules.is_anonymous
        }
        if opened:
            from ..openapi.routes import Routes

            operations = {**operations, **opened}
            routes = Routes(list(operations.values()))
        return document, operations, routes

    def _compile(self, chosen: _Chosen) -> _Shape:
        from ..openapi.documents import Documents
        from ..openapi.operations import compile_operations
        from ..openapi.routes import Routes

        if not chosen:
            document = self._document or read_document(openapi_file(self.place))
            operations = compile_operations(Documents(self.provider, document))
            return document, operations, Routes(list(operations.values()))
        document = self._compiled(())[0]
        for name, value in chosen:
            document = merge_patch(document, self._switches[name].patches[OPENAPI][value])
        try:
            operations = compile_operations(Documents(self.provider, document))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise ContractError(
                f"{self.folder}: openapi.yaml cannot be read with {_listed(chosen)}: {detail}"
            ) from None
        return document, operations, Routes(list(operations.values()))

    @property
    def document(self) -> Json:
        """The OpenAPI document: that of the file, with the shapes of the readings chosen.

        Raises:
            ContractError: the file is wrong, or does not agree with the behaviour file.
        """
        return self._shape[0]

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by id."""
        return self._shape[1]

    def refusal_statuses(self, reason: str, operation: str = "") -> tuple[int, ...]:
        """The statuses that a refusal of *operation* for *reason* may have.

        It is one status where the behaviour file has a reply for that reason. Where it has none,
        any is right that the OpenAPI file documents for it, or that providers use for it.
        """
        from ..behaviour.reasons import usual_statuses

        known = self.behaviour.wording_of(reason)
        rules = self.behaviour.operations.get(operation)
        if known is not None and (rules is None or not rules.is_unbehaved):
            return (known.status,)
        # The words of the file may be for operations of another form.
        usual = usual_statuses(reason, self.operations.get(operation))
        return usual if known is None else (known.status, *usual)

    @property
    def routes(self) -> Routes:
        """The operations by method and path."""
        return self._shape[2]


def _listed(chosen: _Chosen) -> str:
    return ", ".join(f"{name}={value}" for name, value in chosen)


def read_contract(place: Path) -> Contract:
    """The contract in the folder *place*, or that of an OpenAPI file alone.

    Raises:
        ContractError: a file is missing or wrong. That of a shipped contract is read on first use.
    """
    return Contract(place)


def _check_agreement(
    contract: Contract, operations: Mapping[str, Operation], document: Json
) -> None:
    """The behaviour file names operations and security schemes that the OpenAPI file has."""
    path, behaviour = contract.folder / BEHAVIOUR, contract.behaviour
    problems = {
        f"/operations/{name}": no_such("operation", name, operations, listed_max=_LISTED_MAX)
        for name in sorted(behaviour.operations.keys() - operations.keys())
    }
    schemes = document.get("components", {}).get("securitySchemes", {}).keys()
    problems |= {
        f"/credentials/{name}": no_such("security scheme", name, schemes)
        for name in sorted(behaviour.credentials.keys() - schemes)
    }
    if problems:
        raise ContractError(*placed(path, problems))
