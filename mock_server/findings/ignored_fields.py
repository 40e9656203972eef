"""Findings about fields and directives that are ignored. They never refuse anything.

A client that sends `duration` where the provider reads `seconds` pays for the default length.
"""

from __future__ import annotations

from itertools import islice

from screentest.specs.errors import nearest
from screentest.specs.openapi.fields import Fields

from ..engine.provider import Call, EventStream, Reply
from ..kernel.finding import Finding
from ..kernel.magic import VERBS, misspelt_directive
from .citations import source_of_unknown_field
from .fixes import unknown_field_fix, value_at

# A body for another provider consists of undocumented fields.
_NAMED_MAX = 10
_POINTER_MAX = 120


def ignored_fields(call: Call, answer: Reply | EventStream) -> list[Finding]:
    """The findings about undocumented fields of *call*, if it succeeded."""
    if answer.status >= 300 or call.ctx.behaviour.unknown_fields != "ignore":
        return []
    schema = call.operation.body_schema(call.request.content_type)
    if schema is None:
        return []
    unnamed = islice(schema.fields.unnamed_in(call.body), _NAMED_MAX)
    return [_advice(call, schema.fields, pointer) for pointer, _ in unnamed]


def _advice(call: Call, fields: Fields, pointer: str) -> Finding:
    source = source_of_unknown_field(call.ctx.contract, call.operation.id, pointer)
    # The client may have pasted a secret in place of a name.
    shown = call.ctx.rows.redactor.cut_text(pointer)[:_POINTER_MAX]
    name = shown.rpartition("/")[2]
    fix = unknown_field_fix(name, fields.around(pointer), value_at(call.body, pointer))
    return Finding(
        "SC103", shown, "a documented field", "one that is ignored", fix, source, "warning"
    )


def misspelt_directives(call: Call) -> list[Finding]:
    """The finding about a misspelt directive in a text of *call*."""
    found = misspelt_directive(call.body) if call.ctx.world.settings.has_magic else None
    if found is None:
        return []
    verb = found.removeprefix("[[screentest:").rstrip("]").partition("=")[0]
    close = nearest(verb, VERBS)
    fix = f"did you mean {close[0]!r}?" if close and close[0] != verb else "see docs/magic.md"
    if verb == "slow":
        fix = "say how long, such as slow=60s, slow=5m or slow=1h; it was taken as slow=1m"
    expected = "an order: " + ", ".join(VERBS)
    return [
        Finding(
            "SC114",
            "",
            expected,
            call.ctx.rows.redactor.cut_text(found)[:_POINTER_MAX],
            fix,
            "",
            "warning",
        )
    ]
