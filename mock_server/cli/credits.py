"""`screentest credits`: what the accounts of a world have, and setting it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from .client import Mock, world_options
from .groups import group, unknown_word
from .output import fail, json_option, show, table

Json = Any


@group("credits", first="show")
def command() -> None:
    """Show what accounts have, or set it."""


@command.command("show")
@click.option("--provider", default="", help="Only this provider's account, with its ledger.")
@click.option("--account", default="", help="Another account than the world's first.")
@world_options
@json_option
def show_credits(provider: str, account: str, url: str, world: str, *, as_json: bool) -> None:
    """Available and held credits of each provider's first account."""
    mock = Mock(url, world)
    if provider or account:
        name = account or _first_account(mock, provider)
        document = {"account": name, **mock.get(f"/accounts/{name}/ledger")}
        show(document, _ledger, as_json=as_json)
        return
    providers = mock.get()["providers"]
    # What is due is settled when an account is read by itself.
    accounts = [mock.get(f"/accounts/{it['account']['id']}") for it in providers.values()]
    show(accounts, _rows, as_json=as_json)


@command.command("set")
@click.argument("provider")
@click.argument("amount", type=click.IntRange(min=0))
@click.option("--account", default="", help="Another account than the world's first.")
@world_options
@json_option
def set_credits(
    provider: str, amount: int, account: str, url: str, world: str, *, as_json: bool
) -> None:
    """Let PROVIDER's account have AMOUNT credits available from now on."""
    mock = Mock(url, world)
    name = account or _first_account(mock, provider)
    changed = mock.patch(f"/accounts/{name}", {"credits": amount})
    show([changed], _rows, as_json=as_json)


def _first_account(mock: Mock, provider: str) -> str:
    providers = mock.get()["providers"]
    if provider not in providers:
        fail(2, unknown_word(provider, providers).replace("command", "provider"))
    return str(providers[provider]["account"]["id"])


def _rows(accounts: list[Json]) -> Iterable[str]:
    head = ("ACCOUNT", "PROVIDER", "AVAILABLE", "HELD", "TIER")
    return table(
        [head]
        + [(it["id"], it["provider"], *_amounts(it["credits"]), it["tier"]) for it in accounts]
    )


def _amounts(credits: Json) -> tuple[str, str]:
    return str(credits["available"]), str(credits["held"])


def _ledger(ledger: Json) -> Iterable[str]:
    sums = "  ".join(f"{it} {ledger[it]}" for it in ("granted", "available", "held", "spent"))
    yield f"{ledger['account']}  {sums}"
    yield from table(
        (f"  {it['at']}", it["kind"], it["amount"], it["job"] or "", it["request"] or "")
        for it in ledger["entries"]
    )
