"""`screentest env`: the variables that point clients to a running mock."""

from __future__ import annotations

import json

import click

from ..client import Mock, world_options
from ..env_lines import SHELLS, export_lines


@click.command("env")
@world_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--shell", type=click.Choice(SHELLS), default="bash", show_default=True)
def command(url: str, world_id: str, shell: str, *, as_json: bool) -> None:
    """Print the variables that point clients to a running mock.

    In a shell: eval "$(screentest env)"
    """
    variables = {"SCREENTEST_URL": url.rstrip("/"), **Mock(url, world_id).get()["env"]}
    if as_json:
        click.echo(json.dumps(variables, indent=2))
        return
    for line in export_lines(variables, shell):
        click.echo(line)
