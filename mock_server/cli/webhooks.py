"""`screentest webhooks`: receive deliveries here, look at those sent, send one again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from .client import Mock, echo_json_line, world_options
from .groups import group
from .output import fail, json_option, paint, printable, say, show, table, tell
from .receiver import Delivery, forward, open_receiver

Json = Any


@group("webhooks", first="list")
def command() -> None:
    """Receive deliveries, list them, send one again."""


@command.command("list")
@world_options
@json_option
def list_deliveries(url: str, world: str, *, as_json: bool) -> None:
    """Deliveries with their attempts."""
    found = list(Mock(url, world).items("/webhooks/deliveries", {}))
    show(found, _rows, as_json=as_json)


@command.command("resend")
@click.argument("delivery")
@world_options
@json_option
def resend(delivery: str, url: str, world: str, *, as_json: bool) -> None:
    """Send DELIVERY again now, with a new signature."""
    sent = Mock(url, world).post(f"/webhooks/deliveries/{delivery}/redeliver")
    show([sent] if sent else [], _rows, as_json=as_json)


@command.command("listen")
@click.argument("provider")
@click.option("--forward-to", default="", metavar="URL", help="Hand deliveries on, unchanged.")
@click.option("--event", "events", multiple=True, help="Only events of this type. Repeatable.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default=True,
              help="Port to receive on; 0 takes any.")  # fmt: skip
@click.option("--answer", type=click.IntRange(200, 599), default=200, show_default=True,
              help="Status to answer with, when nothing is handed on.")  # fmt: skip
@click.option("--print-secret", is_flag=True, help="Print the signing secret alone, first.")
@world_options
@json_option
def listen(provider: str, url: str, world: str, *, as_json: bool, **given: Any) -> None:
    """Receive PROVIDER's deliveries and print them until Ctrl+C.

    The endpoint is made for as long as this runs. Its secret stands on the first line, or alone on
    stdout with --print-secret.
    """
    if given["forward_to"]:
        from ..http.targets import split_url

        split_url(given["forward_to"])
    mock = Mock(url, world)
    take = _Printer(given["forward_to"], given["answer"], as_json=as_json).take
    try:
        server = open_receiver(given["port"], take)
    except OSError as error:
        fail(2, f"cannot receive on port {given['port']}: {error.strerror}")
    hook = f"http://127.0.0.1:{server.server_address[1]}/"
    body: Json = {"provider": provider, "url": hook}
    if given["events"]:
        body["events"] = list(given["events"])
    made = mock.post("/webhooks/endpoints", body)
    try:
        if given["print_secret"]:
            click.echo(made["secret"])
        tell(f"receiving on {hook}  signing secret {made['secret']}  (Ctrl+C to stop)")
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        mock.delete(f"/webhooks/endpoints/{made['id']}")


class _Printer:
    """Prints each delivery, and what became of handing it on."""

    def __init__(self, forward_to: str, answer: int, *, as_json: bool) -> None:
        self._forward_to = forward_to
        self._answer = answer
        self._as_json = as_json

    def take(self, delivery: Delivery) -> int:
        """Print *delivery*; the status that the mock is answered with."""
        status, problem = self._answer, ""
        if self._forward_to:
            status, problem = forward(delivery, self._forward_to)
        if self._as_json:
            echo_json_line(_document(delivery, status))
            return status
        now = datetime.now(UTC).strftime("%H:%M:%S")
        told = delivery.body.decode(errors="replace")
        say(f"{now}  -->  {_event(delivery)}  {printable(told)}")
        if self._forward_to:
            colour = "green" if status < 300 else "red"
            shown = paint(f"[{status}]", colour, sys.stdout)
            say(f"{now}  <--  {shown} POST {self._forward_to}  {problem}".rstrip())
        return status


def _event(delivery: Delivery) -> str:
    body = _json(delivery)
    found = [body.get(name) for name in ("type", "event", "id")] if isinstance(body, dict) else []
    return printable(" ".join(str(it) for it in found if it)) or "event"


def _document(delivery: Delivery, status: int) -> Json:
    body = _json(delivery)
    if body is None:
        body = delivery.body.decode(errors="replace")
    return {"path": delivery.path, "headers": delivery.headers, "body": body, "answered": status}


def _json(delivery: Delivery) -> Json:
    try:
        return json.loads(delivery.body)
    except ValueError:
        return None


def _rows(deliveries: list[Json]) -> Iterable[str]:
    if not deliveries:
        return table([], "no delivery yet")
    head = ("DELIVERY", "TYPE", "JOB", "STATE", "ATTEMPTS", "LAST", "NEXT", "ENDPOINT")
    return table([head, *(_row(it) for it in deliveries)])


def _row(delivery: Json) -> tuple[Json, ...]:
    attempts = delivery["attempts"]
    last = attempts[-1] if attempts else {}
    outcome = last.get("status") or last.get("error")
    return (
        delivery["id"], delivery["type"], delivery["job"], delivery["state"], len(attempts),
        outcome, delivery["next_due"], delivery["endpoint"],
    )  # fmt: skip
