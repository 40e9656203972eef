"""`screentest webhooks`: receive deliveries, list them, send one again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

import click

from screentest.specs.json_types import Json

from ..client import Mock, segment, world_verb
from ..groups import group
from ..output import fail, show, table, tell
from ..request_line import finding_lines


@group("webhooks", first="list")
def command() -> None:
    """Receive deliveries, list them, send one again."""


@command.command("list")
@world_verb
def list_deliveries(mock: Mock, *, as_json: bool) -> None:
    """List deliveries with their attempts."""
    found = list(mock.items("/webhooks/deliveries", {}))
    show(found, _rows, as_json=as_json)


@command.command("resend")
@click.argument("delivery")
@world_verb
def resend(delivery: str, mock: Mock, *, as_json: bool) -> None:
    """Send DELIVERY again now, with a new signature."""
    path = f"/webhooks/deliveries/{segment('delivery', delivery)}/redeliver"
    sent = mock.post(path)
    show([sent] if sent else [], _rows, as_json=as_json)


@command.command("listen")
@click.argument("provider")
@click.option("--forward-to", default="", metavar="URL", help="Forward deliveries unchanged.")
@click.option("--event", "events", multiple=True, help="Only events of this type. Repeatable.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="Port to receive on; 0 takes a free one.",
)
@click.option(
    "--answer",
    type=click.IntRange(200, 599),
    default=200,
    show_default=True,
    help="Status to answer with, unless deliveries are forwarded.",
)
@click.option("--print-secret", is_flag=True, help="Print the signing secret alone, first.")
@world_verb
def listen(provider: str, mock: Mock, *, as_json: bool, **given: Any) -> None:
    """Receive PROVIDER's deliveries and print them until Ctrl+C.

    The endpoint exists while this command runs. The first line shows its secret; --print-secret
    prints the secret alone on stdout.
    """
    # A server and URL rules load slowly, and the other verbs of this group do not need them.
    from screentest.specs.contracts.registry import find_contracts

    from ...http.webhook_targets import split_url
    from ..receiver import Printer, open_receiver

    if given["forward_to"]:
        split_url(given["forward_to"])
    mock.provider(provider)
    # A mock may serve providers that are not installed here.
    known = find_contracts()
    behaviour = known.load(provider).behaviour if provider in known else None
    take = Printer(given["forward_to"], given["answer"], behaviour, as_json=as_json).take
    try:
        server = open_receiver(given["port"], take)
    except OSError as error:
        fail(f"cannot receive on port {given['port']}: {error.strerror}")
    hook = f"http://127.0.0.1:{server.server_address[1]}/"
    body: Json = {"provider": provider, "url": hook}
    if given["events"]:
        body["events"] = list(given["events"])
    made = mock.post("/webhooks/endpoints", body)
    # A script stops this verb by SIGTERM, and the endpoint must be deleted then as well.
    signal.signal(signal.SIGTERM, _leave)
    try:
        if given["print_secret"]:
            click.echo(made["secret"])
        tell(f"receiving on {hook}  signing secret {made['secret']}  (Ctrl+C to stop)")
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        mock.delete(f"/webhooks/endpoints/{made['id']}")


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _rows(deliveries: list[Json]) -> Iterable[str]:
    if not deliveries:
        return table([], "no deliveries yet")
    head = ("DELIVERY", "TYPE", "JOB", "STATE", "ATTEMPTS", "LAST", "NEXT", "ENDPOINT")
    rows = list(table([head, *(_row(it) for it in deliveries)]))
    last = [it["attempts"][-1] if it["attempts"] else {} for it in deliveries]
    under = [[], *(list(finding_lines(it.get("findings", ()), sys.stdout)) for it in last)]
    return [line for row, found in zip(rows, under, strict=True) for line in (row, *found)]


def _row(delivery: Json) -> tuple[Json, ...]:
    attempts = delivery["attempts"]
    last = attempts[-1] if attempts else {}
    outcome = last.get("status") or last.get("error")
    return (
        delivery["id"],
        delivery["type"],
        delivery["job"],
        delivery["state"],
        len(attempts),
        outcome,
        delivery["next_due"],
        delivery["endpoint"],
    )
