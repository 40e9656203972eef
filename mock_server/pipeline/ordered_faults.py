"""A fault that one request orders for itself, by the header `X-Screentest-Fault`.

It is for clients that cannot reach the control API. A world accepts the header only
if it is switched on: a client that sends it by mistake must not change what a test sees.
"""

from __future__ import annotations

from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json

from ..engine.provider import Call, Reply
from ..kernel.errors import MockError
from ..kernel.fault_types import TYPES, attribute_value
from ..kernel.faults import check_reach, read_fault
from ..kernel.finding import Finding

HEADER = "X-Screentest-Fault"
_ASKED = HEADER.lower()
_EXAMPLE = "http_error; status=503; phase=after_commit"
#: What a finding shows of the header.
_SHOWN_MAX = 100


def order_fault(call: Call) -> Reply | None:
    """Add the fault that *call* orders to its world; the refusal if it cannot be one."""
    text = call.request.headers.get(_ASKED)
    if text is None:
        return None
    ctx = call.ctx
    if not ctx.world.settings.has_fault_header:
        fix = f'PATCH /worlds/{ctx.world.id} with {{"fault_header": true}}, or remove the header'
        _note(call, "no such header: this world does not accept it", text, fix)
        return None
    provider, operation = ctx.provider, call.operation.id
    try:
        wish = {**_read(text), "where": {"provider": provider, "operation": operation}}
        places = {"provider": {provider: (provider,)}, "operation": {operation: (provider,)}}
        fault = read_fault(_id(call), wish, places, ctx.at_ms)
        check_reach(fault, {provider: ctx.behaviour}, places)
        if TYPES[fault.type].meets == "delivery":
            raise MockError(f"{fault.type} acts after the answer; order it by the control API")
    except MockError as error:
        _note(call, "a fault for this call", text, f"{error}; write {HEADER}: {_EXAMPLE}")
        body = {
            "title": "Bad Request",
            "status": 400,
            "code": "invalid_fault",
            "detail": str(error),
        }
        return Reply(400, body, {}, "application/problem+json", reason="fault_header")
    ctx.rows.documents.save("fault", fault.id, ctx.request, fault.to_json())
    return None


def end_order(call: Call) -> None:
    """Remove the fault that *call* has ordered; a finding says if it did not apply."""
    if not call.is_exposed:
        return
    documents, place = call.ctx.rows.documents, ("fault", _id(call))
    found = documents.find(*place)
    if found is None:
        return
    documents.remove(place)
    if not found["fired"]:
        text = call.request.headers[_ASKED]
        _note(call, "a fault that applies", text, "see in the answer why the call ended before it")


def _read(text: str) -> dict[str, Json]:
    """The body of a control call for a header such as `latency; delay_ms=2000`.

    Raises:
        MockError: it cannot be read, or the control API takes no such fault.
    """
    kind, *fields = (it.strip() for it in text.split(";"))
    given: dict[str, Json] = {}
    for field in fields:
        name, has_value, value = field.partition("=")
        if not has_value:
            raise MockError(f"{field!r} is not NAME=VALUE")
        given[name.strip()] = attribute_value(value.strip())
    phase = {"phase": given.pop("phase")} if "phase" in given else {}
    wish = {"type": kind, "attributes": given, **phase}
    schema = load_controls().operations["createFault"].bodies["application/json"]
    # An unknown attribute gets the message of `read_fault`, which names those of the type.
    found = [
        it for it in schema.violations(wish) if it.keyword not in {"additionalProperties", "enum"}
    ]
    if found:
        raise MockError(found[0].message)
    return wish


def _id(call: Call) -> str:
    return f"fault_of_req_{call.ctx.request}"


def _note(call: Call, expected: str, text: str, fix: str) -> None:
    shown = call.ctx.rows.redactor.cut_text(text)[:_SHOWN_MAX]
    finding = Finding("SC114", "", expected, f"{HEADER}: {shown}", fix, "", "warning")
    call.warnings = [*call.warnings, finding]
