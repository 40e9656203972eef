"""Output: data on stdout, messages on stderr, colour on terminals only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO

import click

from screentest.specs.json_types import Json

from .exit_codes import Exit


def json_option(function: Any) -> Any:
    """`--json`: exactly one JSON document on stdout, or one per line for a stream."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")(function)


def show(document: Json, lines: Callable[[Json], Iterable[str]], *, as_json: bool) -> None:
    """Print *document* as JSON, or as the *lines* of a text."""
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in lines(document):
        say(line)


def table(rows: Iterable[Sequence[Json]], empty: str = "") -> list[str]:
    """Rows as aligned columns; *empty* goes to stderr when there are no rows."""
    shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not shown:
        if empty:
            tell(empty)
        return []
    widths = [max(len(row[n]) for row in shown) for n in range(len(shown[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


def say(line: str) -> None:
    """Print a line of the result on stdout."""
    click.echo(plain(line), color=has_colour(sys.stdout))


def tell(message: str) -> None:
    """Print a message on stderr."""
    click.echo(plain(message), err=True, color=has_colour(sys.stderr))


def tell_error(problem: str) -> None:
    """Print *problem* as an error, and go on."""
    tell(f"{paint('error:', 'red', sys.stderr)} {problem}")


def tell_warning(problem: str) -> None:
    """Print *problem* as a warning."""
    tell(f"{paint('warning:', 'yellow', sys.stderr)} {problem}")


def fail(problem: str, hint: str = "", *, code: int = Exit.USAGE) -> NoReturn:
    """Print *problem* and *hint*, a line each, and end the program with *code*."""
    tell_error(problem)
    if hint:
        tell(f"{paint('hint:', 'cyan', sys.stderr)} {hint}")
    sys.exit(code)


@contextmanager
def as_far_as_read() -> Generator[None]:
    """Ignore that the reader of stdout closed it; the exit code of the verb stays the same."""
    try:
        yield
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Discard buffered output, which the interpreter would otherwise write again at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def paint(text: str, colour: str, stream: TextIO | None) -> str:
    """*text* in *colour*, if *stream* shows colours."""
    return click.style(text, fg=colour) if has_colour(stream) else text


def has_colour(stream: TextIO | None) -> bool:
    """Whether *stream* is a terminal; NO_COLOR and FORCE_COLOR override the answer.

    *stream* is None in a program that was started without stdout or stderr.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def plain(text: str) -> str:
    """*text* without control characters except those of colours."""
    return "".join(
        it if it in "\n\t\x1b" or it.isprintable() else f"\\x{ord(it):02x}" for it in text
    )


def printable(text: str) -> str:
    """*text*, which comes from a client, on one line and without control characters."""
    return "".join(it if it.isprintable() else f"\\x{ord(it):02x}" for it in text)
