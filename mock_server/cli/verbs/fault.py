"""`screentest fault`: inject failures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from screentest.specs.json_types import Json

from ..client import Mock, segment, world_verb
from ..durations import duration_ms
from ..float_range import Factor
from ..groups import group
from ..output import fail, json_option, show, table, tell


@group("fault", first="list")
def command() -> None:
    """Inject faults, list them, delete them."""


@command.command("add")
@click.argument("type_", metavar="TYPE")
@click.option("--provider", default="", help="Only calls to this provider.")
@click.option("--operation", default="", help="Only this operation, by its id in the contract.")
@click.option("--account", default="", help="Only calls with a key of this account.")
@click.option("--file", default="", help="Only downloads of this kind of URL of the contract.")
@click.option("--nth", type=click.IntRange(min=1), help="Apply from the nth match on.")
@click.option(
    "--counts",
    type=click.Choice(("matches", "calls")),
    help="Count the matches on which it could act (default), or all calls.",
)
@click.option("--times", metavar="N|forever", default="1", show_default=True, help="How often.")
@click.option("--probability", type=Factor(0, 1, min_open=True), help="Of applying to a match.")
@click.option("--phase", type=click.Choice(("before", "after_commit", "during_body")))
@click.option("--status", type=int, help="Status of an http_error or model_retired.")
@click.option("--retry-after", type=duration_ms, metavar="DURATION", help="Retry-After.")
@click.option("--delay", type=duration_ms, metavar="DURATION", help="How late an answer is.")
@click.option("--reason", default="", help="The failure reason of a job or stream.")
@click.option("--at", type=Factor(0, 1), help="When in its run a job fails, from 0 to 1.")
@click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any other attribute.")
@world_verb
def add(type_: str, mock: Mock, *, as_json: bool, **given: Any) -> None:
    """Inject a fault, such as: fault add http_error --status 503 --times 2

    `screentest fault types` lists each TYPE with its attributes.
    """
    body: dict[str, Json] = {"type": type_, "times": _times(given["times"])}
    places = {
        name: given[name] for name in ("provider", "operation", "account", "file") if given[name]
    }
    if places:
        body["where"] = places
    body |= {
        name: given[name]
        for name in ("nth", "counts", "probability", "phase")
        if given[name] is not None
    }
    attributes = _attributes(given)
    if attributes:
        body["attributes"] = attributes
    if given["provider"]:
        mock.provider(given["provider"])
    show([mock.post("/faults", body)], _rows, as_json=as_json)


@command.command("list")
@world_verb
def list_faults(mock: Mock, *, as_json: bool) -> None:
    """List the faults, and how often each was applied."""
    show(list(mock.items("/faults", {})), _rows, as_json=as_json)


@command.command("clear")
@click.argument("fault_id", required=False)
@world_verb
def clear(fault_id: str | None, mock: Mock, *, as_json: bool) -> None:
    """Delete FAULT_ID, or every fault."""
    # An empty id comes from a script with an unset variable; it must not delete every fault.
    below = f"/{segment('fault', fault_id)}" if fault_id is not None else ""
    known = [it["id"] for it in mock.items("/faults", {})] if fault_id is None else [fault_id]
    mock.delete(f"/faults{below}")
    show({"cleared": known}, lambda _: (), as_json=as_json)
    if not as_json:
        tell(f"cleared {fault_id or 'every fault'}")


@command.command("types")
@json_option
def list_types(*, as_json: bool) -> None:
    """List the types of faults: summary, phase, and attributes."""
    from ...kernel.fault_types import TYPES

    known = [
        {
            "type": name,
            "phase": it.phase,
            "meets": it.meets,
            "attributes": dict(it.attributes),
            "summary": it.summary,
        }
        for name, it in TYPES.items()
    ]
    show(known, _type_rows, as_json=as_json)


def _times(text: str) -> int | None:
    if text == "forever":
        return None
    if not text.isdecimal() or int(text) < 1:
        fail(f"--times must be a number from 1, or forever, not {text!r}")
    return int(text)


def _attributes(given: dict[str, Any]) -> dict[str, Json]:
    from ...kernel.fault_types import attribute_value

    found: dict[str, Json] = {}
    for name in ("status", "at"):
        if given[name] is not None:
            found[name] = given[name]
    if given["reason"]:
        found["reason"] = given["reason"]
    if given["delay"] is not None:
        found["delay_ms"] = given["delay"]
    if given["retry_after"] is not None:
        found["retry_after_s"] = -(-given["retry_after"] // 1_000)
    for pair in given["others"]:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            fail(f"--set must be NAME=VALUE, not {pair!r}")
        found[name] = attribute_value(value)
    return found


def _rows(faults: list[Json]) -> Iterable[str]:
    if not faults:
        return table([], "no faults")
    head = ("FAULT", "TYPE", "WHERE", "FROM", "TIMES", "PHASE", "APPLIED", "ATTRIBUTES")
    return table([head, *(_row(it) for it in faults)])


def _row(fault: Json) -> tuple[str, ...]:
    where = " ".join(f"{name}={value}" for name, value in fault["where"].items()) or "everywhere"
    times = "forever" if fault["times"] is None else str(fault["times"])
    attributes = " ".join(
        f"{name}={json.dumps(value)}"
        for name, value in fault["attributes"].items()
        if value is not None
    )
    counts = f"{fault['fired']} of {fault['seen']}"
    nth, phase = str(fault["nth"]), fault["phase"]
    return fault["id"], fault["type"], where, nth, times, phase, counts, attributes


def _type_rows(types: list[Json]) -> Iterable[str]:
    head = ("TYPE", "APPLIES TO", "PHASE", "ATTRIBUTES", "SUMMARY")
    return table(
        [head]
        + [
            (
                it["type"],
                it["meets"],
                it["phase"],
                " ".join(f"{name}={json.dumps(value)}" for name, value in it["attributes"].items()),
                it["summary"],
            )
            for it in types
        ]
    )
