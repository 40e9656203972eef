"""The clauses of a provider's document behind each refusal, which its findings cite.

The table is in the behaviour file under `cites`. It does not decide what is refused, only which
clause is cited.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, convert

from ..json_types import Json

Clauses = tuple[str, ...]

#: Every rule of a field whose keyword is not listed.
_OTHER = "other"


class CitedPlaces(Struct, frozen=True):
    """Clauses by reason of refusal, and by dotted field name and keyword of the broken rule."""

    reasons: Mapping[str, Clauses] = {}
    fields: Mapping[str, Mapping[str, Clauses]] = {}


class Citations(Struct, frozen=True):
    """The citations for all operations (*everywhere*), and those of single ones, by their id."""

    everywhere: CitedPlaces = CitedPlaces()
    operations: Mapping[str, CitedPlaces] = {}

    def of_reason(self, operation: str, reason: str) -> Clauses | None:
        """The clauses behind *reason*; empty when the document is silent, None when not listed."""
        for places in self._places(operation):
            if reason in places.reasons:
                return places.reasons[reason]
        return None

    def of_field(self, operation: str, pointer: str, keyword: str) -> Clauses | None:
        """The clauses behind the rule *keyword* of the field at *pointer*, or of a field around it.

        Clauses for a keyword of the field around it do not count: its type is another type.
        """
        steps = [step for step in pointer.split("/")[1:] if not step.isdigit()]
        for end in range(len(steps), 0, -1):
            for start in range(end):
                name = ".".join(steps[start:end])
                for places in self._places(operation):
                    rules = places.fields.get(name, {})
                    found = rules.get(keyword) if end == len(steps) else None
                    found = found if found is not None else rules.get(_OTHER)
                    if found is not None:
                        return found
        return None

    def all(self) -> set[str]:
        """Every id that is cited."""
        places = [self.everywhere, *self.operations.values()]
        lists = [it for place in places for it in place.reasons.values()]
        lists += [
            it for place in places for rules in place.fields.values() for it in rules.values()
        ]
        return {clause for clauses in lists for clause in clauses}

    def _places(self, operation: str) -> tuple[CitedPlaces, ...]:
        own = self.operations.get(operation)
        return (own, self.everywhere) if own is not None else (self.everywhere,)


def read_citations(raw: Json) -> Citations:
    """The table of a behaviour file, whose form was checked."""
    operations = raw.get("operations", {})
    return Citations(_places(raw), {name: _places(it) for name, it in operations.items()})


def _places(raw: Json) -> CitedPlaces:
    rules = {
        name: it if isinstance(it, dict) else {_OTHER: it}
        for name, it in raw.get("fields", {}).items()
    }
    return convert({"reasons": raw.get("reasons", {}), "fields": rules}, CitedPlaces)
