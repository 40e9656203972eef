"""Fields that a provider takes no notice of: advice, never a refusal.

Whoever sends `duration` where the provider reads `seconds` pays for a video of the default length.
"""

from __future__ import annotations

from itertools import islice

from screentest.specs.contract import Contract
from screentest.specs.fields import Fields

from .finding import Finding
from .fixes import unknown_field_fix, value_at
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
    return [_advice(contract, call, schema.fields, pointer) for pointer, _ in unnamed]


def _advice(contract: Contract, call: Call, fields: Fields, pointer: str) -> Finding:
    source = source_of_unknown_field(contract, call.operation.id, pointer)
    # Somebody may have pasted a secret where a name belongs.
    shown = cut_text(pointer)[:_POINTER_MAX]
    name = shown.rpartition("/")[2]
    fix = unknown_field_fix(name, fields.around(pointer), value_at(call.body, pointer))
    return Finding(
        "SC103", shown, "a documented field", "one that is ignored", fix, source, "warning"
    )
