"""`screentest credits`: show the credits of a world's accounts, or set them."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ..client import Mock, segment, world_verb
from ..groups import Forward, group
from ..output import fail, show, table


@group("credits", first="show")
def command() -> None:
    """Show the credits of accounts, or set them."""


@command.command("show")
@click.option("--provider", default="", help="Only this provider's account, with its ledger.")
@click.option("--account", default="", help="This account instead of the world's first.")
@world_verb
def show_credits(provider: str, account: str, mock: Mock, *, as_json: bool) -> None:
    """Show the available and held credits of each provider's first account."""
    if provider or account:
        name = _account_of(mock, provider, account) if provider else account
        document = {"account": name, **_whole_ledger(mock, name)}
        show(document, _ledger, as_json=as_json)
        return
    providers = mock.get()["providers"]
    # Reading an account settles what is due; reading the world does not.
    accounts = [mock.get(f"/accounts/{it['account']['id']}") for it in providers.values()]
    show(accounts, _rows, as_json=as_json)


@command.command("set", cls=Forward, negative="AMOUNT must be a number of credits, 0 or more")
@click.argument("provider")
@click.argument("amount", type=click.IntRange(min=0))
@click.option("--account", default="", help="This account instead of the world's first.")
@world_verb
def set_credits(provider: str, amount: int, account: str, mock: Mock, *, as_json: bool) -> None:
    """Set the available credits of PROVIDER's account to AMOUNT."""
    name = _account_of(mock, provider, account)
    changed = mock.patch(f"/accounts/{segment('account', name)}", {"credits": amount})
    show([changed], _rows, as_json=as_json)


def _account_of(mock: Mock, provider: str, account: str) -> str:
    """The id *account*, which must belong to *provider*; the id of its first account if empty."""
    first = mock.provider(provider)["account"]["id"]
    if not account:
        return str(first)
    owner = mock.get(f"/accounts/{segment('account', account)}")["provider"]
    if owner != provider:
        fail(f"account {account!r} belongs to {owner!r}, not to {provider!r}")
    return account


def _whole_ledger(mock: Mock, account: str) -> Json:
    """The sums of an account with all entries of its ledger, page by page."""
    path = f"/accounts/{segment('account', account)}/ledger"
    sums = mock.get(path, limit="1")
    del sums["next_cursor"]
    return sums | {"entries": list(mock.items(path, {}, listed="entries"))}


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
