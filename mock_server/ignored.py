"""Fields that a provider takes no notice of: advice, never a refusal.

Whoever sends `duration` where the provider reads `seconds` pays for a video of the default length.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from screentest.specs.contract import Contract

from .field_names import unknown_field_fix
from .findings import Finding, source_of
from .journal import cut_text
from .provider import Call, EventStream, Reply

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
    source = source_of(contract, call.operation.id)
    # Somebody may have pasted a secret where a name belongs.
    return [_advice(cut_text(pointer)[:_POINTER_MAX], known, source) for pointer, known in unnamed]


def _advice(pointer: str, known: Collection[str], source: str) -> Finding:
    name = pointer.rpartition("/")[2]
    fix = unknown_field_fix(name, known)
    return Finding(
        "SC103", pointer, "a documented field", "one that is ignored", fix, source, "warning"
    )
