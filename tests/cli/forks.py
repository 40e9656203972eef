"""A process that has the command loaded, and forks for each call of it.

A start of Python with the command takes a tenth of a second, and the tests have hundreds. Each fork
is a process of its own, with its own folder, environment, arguments, output and exit code.

Run as a program it reads calls as JSON lines on stdin, and answers each with an exit code.
"""

from __future__ import annotations

import gc
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

#: They act when Python starts, so a fork cannot follow them.
_AT_START = ("PYTHON", "LANG", "LC_")


def can_fork(variables: Mapping[str, str]) -> bool:
    """Whether a fork runs with *variables* as a new process would."""
    return hasattr(os, "fork") and not any(name.startswith(_AT_START) for name in variables)


def run_forked(
    words: tuple[str, ...], folder: Path, environment: Mapping[str, str], out: Path, s_max: float
) -> int:
    """The exit code of the command *words*. Its output is in *out*.out and *out*.err."""
    program = _program()
    assert program.stdin is not None
    assert program.stdout is not None
    call = {
        "words": words,
        "folder": str(folder),
        "environment": dict(environment),
        "out": str(out),
    }
    program.stdin.write(json.dumps(call).encode() + b"\n")
    program.stdin.flush()
    ready, _, _ = select.select([program.stdout], [], [], s_max)
    if not ready:
        program.kill()
        _program.cache_clear()
        raise TimeoutError(f"{words} took longer than {s_max} s")
    return int(program.stdout.readline())


@cache
def _program() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _serve() -> None:
    """Answer calls until stdin ends. Returns in each fork, which then is the command."""
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            return
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()
    sys.exit()


def _become(call: dict[str, object]) -> None:
    words, environment = call["words"], call["environment"]
    assert isinstance(words, list)
    assert isinstance(environment, dict)
    os.chdir(str(call["folder"]))
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = words
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path in ((1, f"{call['out']}.out"), (2, f"{call['out']}.err")):
        os.dup2(os.open(path, flags), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


if __name__ == "__main__":
    import click

    from screentest.mock_server.cli.main import VERBS, cli, main

    for verb in VERBS:
        cli.get_command(click.Context(cli), verb)
    # A fork that ends would otherwise write to every page of the objects that it never used.
    gc.freeze()
    _serve()
    main()
