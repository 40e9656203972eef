"""`screentest explain`: what a finding means, why it matters, and wrong and right code."""

from __future__ import annotations

from collections.abc import Iterable

import click

from screentest.specs.json_types import Json

from ...findings.explanations import explanation, explanations
from ...kernel.errors import unknown
from ..output import json_option, show, table


@click.command("explain")
@click.argument("code", required=False)
@click.option("--all", "everything", is_flag=True, help="Every finding with its whole text.")
@json_option
def command(code: str | None, *, everything: bool, as_json: bool) -> None:
    """Explain the finding CODE, such as SC102. Without CODE: list all findings."""
    if code is None:
        known = [it.to_json() for it in explanations().values()]
        show(known, _texts if everything else _rows, as_json=as_json)
        return
    found = explanation(code.upper())
    if found is None:
        raise unknown("finding", code, explanations())
    show(found.to_json(), _text, as_json=as_json)


def _rows(known: list[Json]) -> Iterable[str]:
    return table((it["code"], it["severity"], it["title"]) for it in known)


def _texts(known: list[Json]) -> Iterable[str]:
    for it in known:
        yield from _text(it)
        yield ""


def _text(it: Json) -> Iterable[str]:
    yield f"{it['code']}  {it['title']}  ({it['severity']})"
    yield ""
    yield it["what"]
    yield ""
    yield f"Why it matters: {it['why']}"
    for language in ("python", "typescript"):
        for kind in ("wrong", "right"):
            yield ""
            yield f"{kind.capitalize()} ({language}):"
            yield from (f"    {line}" for line in it[language][kind].splitlines())
