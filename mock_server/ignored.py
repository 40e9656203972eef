"""Fields that a provider takes no notice of: advice, never a refusal.

Whoever sends `duration` where the provider reads `seconds` pays for a video of the default length.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from screentest.specs.contract import Contract

from .field_names import unknown_field_fix
from .findings import Finding
from .journal import cut_text
from .provider import Call, EventStream, Reply
from .sources import source_of_unknown_field

# One slip seldom comes alone, but a body of another provider has nothing but slips.
_TOLD_MAX = 10
_POINTER_MAX = 120


def ignored_fields(contract: Contract, call: Call, answer: Reply | EventStream) -> list[Finding]:
    """What to say of the fields of *call* that are not documented, if it was answered well."""
    if answer.status >= 300 or call.here.behaviour.unknown_fields != "ignore":
        return []
    bodies = call.operation.bodies
    schema = bodies.get(call.request.content_type)
    if schema is None:
        return []
    unnamed = islice(schema.fields.unnamed_in(call.body), _TOLD_MAX)
    return [_advice(contract, call.operation.id, pointer, known) for pointer, known in unnamed]


def _advice(contract: Contract, operation: str, pointer: str, known: Collection[str]) -> Finding:
    source = source_of_unknown_field(contract, operation, pointer)
    # Somebody may have pasted a secret where a name belongs.
    shown = cut_text(pointer)[:_POINTER_MAX]
    fix = unknown_field_fix(shown.rpartition("/")[2], known)
    return Finding(
        "SC103", shown, "a documented field", "one that is ignored", fix, source, "warning"
    )
