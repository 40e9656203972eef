"""The clauses of a provider's document behind each refusal, which its findings cite.

The table is in the behaviour file under `cites`. It does not decide what is refused, only which
clause is cited.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from ..formats import Cited, means

Clauses = Annotated[tuple[Cited, ...], Meta(max_length=3)]

#: Every rule of a field whose keyword is not listed.
_OTHER = "other"
_REASONS = {"unknown_login": ["S21"], "too_large": []}


class CitedPlaces(Struct, frozen=True, forbid_unknown_fields=True):
    """Clauses by reason of refusal, and by field."""

    reasons: Annotated[
        Mapping[str, Clauses],
        means("By the reason of a refusal; an empty list where the document is silent.", _REASONS),
    ] = {}
    fields: Annotated[
        Mapping[str, Clauses | Mapping[str, Clauses]],
        means(
            "By dotted field name without the places of lists; then by keyword of the broken rule "
            "(`other`: any), or for all rules.",
            {"title": {"required": ["OS-007"], "other": []}, "seconds": ["OS-012"]},
        ),
    ] = {}

    def of_rules(self, field: str) -> Mapping[str, Clauses]:
        """The clauses of *field* by keyword."""
        found = self.fields.get(field, {})
        return found if isinstance(found, Mapping) else {_OTHER: found}


class Citations(CitedPlaces, frozen=True, forbid_unknown_fields=True):
    """The clauses behind refusals: of all operations, and of single ones."""

    operations: Annotated[
        Mapping[str, CitedPlaces],
        means("Those of single operations, by id.", {"login": {"reasons": _REASONS}}),
    ] = {}

    def of_reason(self, operation: str, reason: str) -> Clauses | None:
        """The clauses behind *reason*; empty when the document is silent, None when not listed."""
        for places in self._places(operation):
            if reason in places.reasons:
                return places.reasons[reason]
        return None

    def of_field(
        self, operation: str, pointer: str, keyword: str, *, is_exact: bool = False
    ) -> Clauses | None:
        """The clauses behind the rule *keyword* of the field at *pointer*, or of a field around it.

        Clauses for a keyword of the field around it do not count: its type is another type.
        *is_exact* leaves out the clauses for any rule of a field.
        """
        steps = [step for step in pointer.split("/")[1:] if not step.isdigit()]
        for end in range(len(steps), 0, -1):
            for start in range(end):
                name = ".".join(steps[start:end])
                for places in self._places(operation):
                    rules = places.of_rules(name)
                    found = rules.get(keyword) if end == len(steps) else None
                    if found is None and not is_exact:
                        found = rules.get(_OTHER)
                    if found is not None:
                        return found
        return None

    def all(self) -> set[str]:
        """Every id that is cited."""
        places = [self, *self.operations.values()]
        lists = [it for place in places for it in place.reasons.values()]
        lists += [
            it for place in places for name in place.fields for it in place.of_rules(name).values()
        ]
        return {clause for clauses in lists for clause in clauses}

    def _places(self, operation: str) -> tuple[CitedPlaces, ...]:
        own = self.operations.get(operation)
        return (own, self) if own is not None else (self,)
