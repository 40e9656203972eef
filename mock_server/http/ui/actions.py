"""What the forms of the page do: each one a call of the control API, or a request to the mock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from msgspec import Struct

from screentest.specs.json_types import Json

from ...kernel.errors import MockError, unknown
from ...kernel.fault_types import TYPES, attribute_value
from .snippets import start_of, with_key
from .view import Send, View

Form = Mapping[str, str]

#: Answers of the mock are quoted in a notice up to this length.
_QUOTED_MAX = 200


class Done(Struct, frozen=True):
    """What an action says, and the page below the world's that it leads to, if another one."""

    notice: str
    go: str | None = None


def _advance(view: View, form: Form) -> Done:
    body: Json = {"until": form["until"]} if "until" in form else {"by_ms": int(form["by_ms"])}
    moved = view.ask("advanceClock", body=body)
    count = len(moved["fired"])
    return Done(
        f"It is {moved['now']} in this world. {count} event{'s' * (count != 1)} on the way."
    )


def _clock(view: View, form: Form) -> Done:
    body: Json = {"mode": form["mode"]}
    if form["mode"] == "real":
        body["speed"] = float(form.get("speed") or 1)
    clock = view.ask("changeClock", body=body)
    return Done(f"The clock is {clock['mode']} now.")


def _job(view: View, form: Form) -> Done:
    body: Json = {}
    if form.get("outcome"):
        body |= {"outcome": form["outcome"], "now": form.get("now") == "yes"}
    if form.get("reason"):
        body["reason"] = form["reason"]
    if form.get("held"):
        body["held"] = form["held"] == "yes"
    job = view.ask("changeJob", job=form["job"], body=body)
    held = ", held" if job["held"] else ""
    return Done(f"{job['id']} is {job['state']}{held}; it ends {job['outcome']}.")


def _credits(view: View, form: Form) -> Done:
    body = {"credits": _whole(form, "credits")}
    account = view.ask("changeAccount", account=form["account"], body=body)
    return Done(f"{account['id']} has {account['credits']['available']} credits to spend.")


def _redeliver(view: View, form: Form) -> Done:
    delivery = view.ask("redeliver", delivery=form["delivery"])
    last = delivery["attempts"][-1] if delivery["attempts"] else {}
    said = last.get("status") or last.get("error") or "not sent yet"
    return Done(f"Sent {delivery['id']} again: {said}.")


def _add_endpoint(view: View, form: Form) -> Done:
    body: Json = {"provider": form["provider"], "url": form["url"]}
    made = view.ask("createEndpoint", body=body)
    return Done(f"Added {made['id']}. Its secret, shown this once: {made['secret']}")


def _rotate_endpoint(view: View, form: Form) -> Done:
    made = view.ask("rotateEndpoint", endpoint=form["endpoint"])
    return Done(f"The new secret of {made['id']}, shown this once: {made['secret']}")


def _remove_endpoint(view: View, form: Form) -> Done:
    view.ask("deleteEndpoint", endpoint=form["endpoint"])
    return Done(f"Removed {form['endpoint']}.")


def _add_fault(view: View, form: Form) -> Done:
    body: Json = {"type": form["type"]}
    where = {name: form[name] for name in ("provider", "operation") if form.get(name)}
    if where:
        body["where"] = where
    for name in ("nth", "times"):
        if form.get(name):
            body[name] = _whole(form, name)
    if form.get("always"):
        body["times"] = None
    if form["type"] not in TYPES:
        raise unknown("type", form["type"], TYPES, status=422)
    attributes = {
        name: attribute_value(text)
        for name in TYPES[form["type"]].attributes
        if (text := form.get(f"attribute.{name}", ""))
    }
    if attributes:
        body["attributes"] = attributes
    made = view.ask("createFault", body=body)
    return Done(f"Added {made['id']}: {TYPES[made['type']].summary}")


def _remove_fault(view: View, form: Form) -> Done:
    view.ask("deleteFault", fault=form["fault"])
    return Done(f"Removed {form['fault']}.")


def _remove_faults(view: View, _: Form) -> Done:
    view.ask("deleteFaults")
    return Done("Removed all faults.")


def _read(view: View, form: Form) -> Done:
    view.ask("changeInterpretations", body={form["name"]: form["value"]})
    return Done(f"{form['name']} is read as {form['value']} in this world.")


def _make_world(view: View, form: Form) -> Done:
    clock: Json = {"mode": form["mode"]}
    body: Json = {"clock": clock}
    if form.get("label"):
        body["label"] = form["label"]
    if form.get("seed"):
        body["seed"] = _whole(form, "seed")
    made = view.control("createWorld", {}, body=body, origin=view.origin)
    return Done(f"Made {made['id']}.", go=f"{made['id']}/")


def _reset_world(view: View, _: Form) -> Done:
    view.ask("resetWorld")
    return Done(f"{view.world.id} is as it was when it began.")


def _delete_world(view: View, _: Form) -> Done:
    view.ask("deleteWorld")
    return Done(f"Deleted {view.world.id}.", go="default/worlds")


def _snapshot(view: View, form: Form) -> Done:
    made = view.ask("createSnapshot", body={"name": form["name"]})
    return Done(f"Took the snapshot {made['name']} ({made['size_bytes']} bytes).")


def _restore(view: View, form: Form) -> Done:
    made = view.ask("restoreSnapshot", snapshot=form["snapshot"])
    keys = "; its keys are new" if made["new_keys"] else ""
    return Done(f"{view.world.id} is as it was in {form['snapshot']}{keys}.")


def _delete_snapshot(view: View, form: Form) -> Done:
    view.ask("deleteSnapshot", snapshot=form["snapshot"])
    return Done(f"Deleted the snapshot {form['snapshot']}.")


ACTIONS: Mapping[str, Callable[[View, Form], Done]] = {
    "advance": _advance,
    "clock": _clock,
    "job": _job,
    "credits": _credits,
    "redeliver": _redeliver,
    "add-endpoint": _add_endpoint,
    "rotate-endpoint": _rotate_endpoint,
    "remove-endpoint": _remove_endpoint,
    "add-fault": _add_fault,
    "remove-fault": _remove_fault,
    "remove-faults": _remove_faults,
    "read": _read,
    "make-world": _make_world,
    "reset-world": _reset_world,
    "delete-world": _delete_world,
    "snapshot": _snapshot,
    "restore": _restore,
    "delete-snapshot": _delete_snapshot,
}


def send_example(view: View, send: Send, form: Form) -> Done:
    """Send an example of a provider's contract to the mock, as a client of it would."""
    provider = form["provider"]
    contract = view.contract(provider)
    start = start_of(contract)
    if start is None or start.is_form:
        raise MockError(f"{provider} has no example that is sent from here", code="invalid_field")
    known = view.ask("getWorld")["providers"][provider]
    body = form.get("body", "").strip()
    if not body:
        named = {it.name: it.body for it in start.examples}
        if form.get("example") not in named:
            raise unknown("example", form.get("example", ""), named, status=422)
        body = json.dumps(named[form["example"]], ensure_ascii=False)
    address = known["base_url"] + start.operation.path
    url, headers = with_key(contract.behaviour, address, known["account"])
    headers["Content-Type"] = "application/json"
    status, request, answer = send(start.operation.method, url, headers, body.encode())
    text = answer.decode(errors="replace")[:_QUOTED_MAX]
    return Done(f"{provider} answered {status}: {text}", go=f"{view.world.id}/requests/{request}")


def _whole(form: Form, name: str) -> int:
    try:
        return int(form[name])
    except ValueError:
        raise MockError(
            f"{name}: expected a whole number, got {form[name][:40]!r}", code="invalid_field"
        ) from None
