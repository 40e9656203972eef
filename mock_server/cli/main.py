"""The `screentest` command. Every verb's module is imported when the verb is used, not before."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from .exit_codes import EXIT_CODES, Exit
from .groups import check_word
from .output import drop_stdout, fail, show, tell_error, tell_warning
from .settings import unread_variables

#: New objects before a look for garbage. Modules leave next to none, and looks while a verb is
#: imported take a seventh of its start.
_GC_THRESHOLD = 50_000

#: verb → (module and name in it, one line for `--help`)
VERBS = {
    "serve": ("serve", "Start the mock on this machine."),
    "explore": ("explore", "Break each call of a command in turn: explore -- python app.py."),
    "gauntlet": ("gauntlet", "Try a webhook receiver with good and bad deliveries."),
    "run": ("run", "Run a command against a mock of its own: run -- pytest."),
    "env": ("env", "Print the variables that point clients to a running mock."),
    "clock": ("clock", "Show the clock, advance it, or change its mode."),
    "jobs": ("jobs", "List jobs; fail, complete, hold or release one."),
    "trigger": ("trigger", "End a job now, with its credits and webhooks."),
    "credits": ("credits", "Show the credits of accounts, or set them."),
    "fault": ("fault", "Inject faults, list them, delete them."),
    "snapshot": ("snapshot", "Save a world to a file, and restore it from one."),
    "webhooks": ("webhooks", "Receive deliveries, list them, send one again."),
    "logs": ("logs", "Show the requests and their findings."),
    "explain": ("explain", "Explain a finding, with wrong and right code."),
    "mcp": ("mcp", "Serve the journal and the contracts to a coding agent."),
    "doctor": ("doctor", "Check this machine for common problems."),
    "new": ("new", "Write a first contract from an OpenAPI file or recordings."),
    "spec": ("spec", "List contracts, check them, compare them with a new OpenAPI file."),
    "config": ("config", "Show each setting with its value and source."),
    "completion": ("completion", "Print the completion script of a shell."),
    "verify": ("verify", "Check a server against a provider's contract."),
    "plan": ("verify:plan", "Show what a verification would do and cost."),
    "check-har": ("recordings:check_har", "Judge recorded traffic."),
    "record": ("recordings:record", "Record the traffic between your program and a provider."),
    "replay": ("recordings:replay", "Send recorded requests again, and show what differs."),
    "diff": ("recordings:diff", "Compare two runs of verify, or two recordings."),
}


class _Verbs(click.Group):
    """Verbs that are imported on use, so that a client verb does not wait for Flask."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module_name, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(f"{__package__}.verbs.{module_name}"), name or "command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, detail) for verb, (_, detail) in VERBS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), detail) for code, detail in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> Any:
        # click would end the program with 1, which means that a check failed.
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            drop_stdout()
            sys.exit(Exit.OK)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        check_word(ctx, args, VERBS)
        return super().resolve_command(ctx, args)


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    # `--version` needs no verb, and `--json` changes its form: click's own option can do neither.
    invoke_without_command=True,
    no_args_is_help=True,
)
@click.option("--version", "wants_version", is_flag=True, help="Show the version and exit.")
@click.option("--json", "as_json", is_flag=True, help="With --version: JSON on stdout.")
@click.pass_context
def cli(context: click.Context, *, wants_version: bool, as_json: bool) -> None:
    """A test double for AI-video APIs: jobs, credits, streams and webhooks on a clock you control.

    Results go to stdout, messages to stderr. A setting has its value from the first of these
    sources: option, variable SCREENTEST_…, [tool.screentest] in pyproject.toml, default.
    """
    if wants_version:
        from ..kernel.version import __version__

        show({"version": __version__}, lambda it: [it["version"]], as_json=as_json)
        sys.exit(Exit.OK)
    if as_json:
        context.fail("--json belongs after the verb, such as: screentest jobs --json")
    if context.invoked_subcommand is None:
        context.fail("Missing command")
    for name, near in unread_variables().items():
        hint = f"; did you mean {near}?" if near else ""
        tell_warning(f"nothing reads {name}{hint}")


def main() -> None:
    """Run the command; an error of its user is one line with a hint, never a traceback."""
    from screentest.specs.errors import ContractError, UnknownNameError

    from ..kernel.errors import MockError

    gc.set_threshold(_GC_THRESHOLD)
    try:
        cli(prog_name="screentest", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(Exit.INTERRUPTED)
    except click.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # no such class before click 8.2
            click.echo(error.format_message(), err=True)
            sys.exit(Exit.USAGE)
        problem = " ".join(error.format_message().split()).rstrip(".")
        fail(problem, _hint(error), code=max(error.exit_code, Exit.USAGE))
    except MockError as error:
        fail(str(error))
    except OSError as error:
        drop_stdout()
        where = f"{error.filename}: " if error.filename is not None else ""
        fail(f"{where}{error.strerror or error}")
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except UnknownNameError as error:
        fail(str(error))
    except ContractError as error:
        hint = "check the file with `screentest spec lint`"
        *others, last = (" ".join(it.split()) for it in error.problems or [str(error)])
        for problem in others:
            tell_error(problem)
        fail(last, hint, code=Exit.INVALID)


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context is not None else ""
