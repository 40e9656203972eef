"""Verbs with verbs below them, such as `clock advance`, and their answer to a misspelt verb."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Any

import click


class Group(click.Group):
    """A verb whose first word may be left out: `screentest jobs` is `screentest jobs list`."""

    def __init__(self, *given: Any, first: str = "", **more: Any) -> None:
        super().__init__(*given, **more)
        self.first = first

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_help = bool(args) and args[0] in {"-h", "--help"}
        if self.first and not asks_help and (not args or args[0].startswith("-")):
            args = [self.first, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        check_word(ctx, args, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class Forward(click.Command):
    """A verb whose argument cannot be negative.

    *negative* is the error for an argument such as -1, which click takes for an unknown option.
    """

    def __init__(self, *given: Any, negative: str, **more: Any) -> None:
        super().__init__(*given, **more)
        self.negative = negative

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name[1:2].isdecimal():
                raise click.UsageError(self.negative, ctx) from None
            raise


def group(name: str, *, first: str) -> Callable[[Callable[..., None]], Group]:
    """A `Group` that runs its verb *first* when the command line names no verb."""

    def decorate(function: Callable[..., None]) -> Group:
        made = click.group(name, cls=Group, first=first)(function)
        assert isinstance(made, Group)
        return made

    return decorate


def check_word(ctx: click.Context, args: list[str], known: Collection[str]) -> None:
    """End with a hint at the nearest known verb when the first of *args* is not a verb."""
    if args and args[0] not in known and not args[0].startswith("-"):
        ctx.fail(unknown_word(args[0], known))


def unknown_word(word: str, known: Collection[str]) -> str:
    """`no command 'srve'; did you mean 'serve'?`."""
    close = get_close_matches(word, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(known)})"
    return f"no command {word!r}{hint}"
