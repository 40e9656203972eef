"""The points where a provider's document is silent: the content of readings.yaml."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct, field

from ..files import BEHAVIOUR, CHECKS, OPENAPI
from ..formats import Key, means
from ..json_types import Json

_Patch = Annotated[Mapping[str, Json], Meta(min_length=1)]
#: The sections of behaviour.yaml that differ by a reading.
_SECTIONS = ("credentials", "refusals", "resources", "operations", "lifecycles", "concurrency")
_FURTHER = ("idempotency", "retires", "rate_windows", "streams", "urls", "webhooks", "facts")


class Alternative(Struct, frozen=True, forbid_unknown_fields=True):
    """Another reading, with its JSON merge patches (RFC 7396) of the contract's files."""

    says: Annotated[str, means("What it does.", "A form with both is answered 400.")]
    rules: Annotated[
        _Patch | None,
        means("The patch of behaviour.yaml.", {"refusals": {"foreign": "refuse"}}),
        Meta(extra_json_schema={"propertyNames": {"enum": [*_SECTIONS, *_FURTHER]}}),
    ] = None
    openapi: Annotated[
        _Patch | None,
        means("The patch of openapi.yaml.", {"components": {"schemas": {"Lamp": {"type": None}}}}),
    ] = None
    checks: Annotated[
        _Patch | None, means("The patch of checks.yaml.", {"answers_in": "result"})
    ] = None


class Interpretation(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """A point where the document is silent, with the reading that was chosen and the others."""

    name: Key
    id: Annotated[str, means("What cites it.", "S8")]
    default: Annotated[str, means("The reading that was chosen.", "file_wins")]
    others: Annotated[
        Mapping[str, str | Annotated[Alternative, Meta(extra_json_schema={"minProperties": 2})]],
        means(
            "The other readings; one in words alone is done by the provider's function.",
            {
                "refuse": "A form with both is answered 400.",
                "hide": {"says": "It is hidden.", "rules": {"refusals": {"foreign": "hide"}}},
            },
        ),
    ] = field(name="alternatives")
    reason: Annotated[
        str,
        means("Why it was chosen.", "The file is the more precise of both."),
        Meta(min_length=10),
    ]
    about: Annotated[
        Mapping[str, Json],
        means(
            "Its subject, as in clauses.yaml; needed where something cites it.",
            {"operation": "createVideo", "status": 400},
        ),
    ] = {}

    @cached_property
    def alternatives(self) -> Mapping[str, str]:
        """The other readings in words."""
        return {value: it if isinstance(it, str) else it.says for value, it in self.others.items()}

    @cached_property
    def patches(self) -> Mapping[str, Mapping[str, Json]]:
        """The JSON merge patches, by the name of the file that they change, and by reading."""
        parts = {
            value: {BEHAVIOUR: it.rules, OPENAPI: it.openapi, CHECKS: it.checks}
            for value, it in self.others.items()
            if isinstance(it, Alternative)
        }
        return {
            file: {value: it[file] for value, it in parts.items() if it[file] is not None}
            for file in (BEHAVIOUR, OPENAPI, CHECKS)
        }

    @property
    def readings(self) -> frozenset[str]:
        """The default and its alternatives."""
        return frozenset({self.default, *self.others})

    @property
    def patched(self) -> frozenset[str]:
        """The readings that change a file of the contract."""
        return frozenset(value for changes in self.patches.values() for value in changes)
