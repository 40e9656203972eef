"""`screentest completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..output import fail

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    In ~/.bashrc: eval "$(screentest completion bash)"
    """
    from ..main import cli

    found = get_completion_class(shell)
    if found is None:
        fail(f"no completion for {shell!r}")
    click.echo(found(cli, {}, "screentest", "_SCREENTEST_COMPLETE").source())
