"""The `screentest` command. Every verb's module is imported when the verb is used, not before."""

from __future__ import annotations

import sys
from importlib import import_module

import click

#: verb → (module and name in it, one line for `--help`)
_VERBS = {
    "serve": ("serve", "Start the mock on this machine."),
    "env": ("env", "Print the variables that point clients at a running mock."),
    "verify": ("verify", "Hold a server to a provider's contract."),
    "plan": ("verify:plan", "Show what a verification would do and cost."),
}


class _Verbs(click.Group):
    """Verbs that are loaded on use, so that a client verb never pays for Flask."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module_name, _, name = _VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(f"{__package__}.{module_name}"), name or "command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, told) for verb, (_, told) in _VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            ctx.fail(unknown_verb(args[0]))
        return super().resolve_command(ctx, args)


def unknown_verb(verb: str) -> str:
    """`no command 'srve'; did you mean 'serve'?`."""
    from difflib import get_close_matches

    close = get_close_matches(verb, _VERBS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(_VERBS)})"
    return f"no command {verb!r}{hint}"


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="screentest", message="%(version)s")
def cli() -> None:
    """A test double for AI-video APIs: jobs, credits, streams and webhooks on a clock you control.

    Exit codes: 0 ok, 1 findings, 2 usage, 3 target unreachable, 130 interrupted.
    """


def main() -> None:
    """Run the command; a mistake is one line with a hint, never a traceback."""
    from screentest.specs.errors import ContractError

    from ..errors import MockError

    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _tell(error.format_message().rstrip("."), _hint(error))
        sys.exit(2)
    except (MockError, ContractError) as error:
        _tell(str(error))
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context is not None else ""


def _tell(problem: str, hint: str = "") -> None:
    click.echo(f"error: {problem}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
