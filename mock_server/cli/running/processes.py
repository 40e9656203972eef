"""A program of the user, and a mock of its own beside it, as processes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from screentest.specs.json_types import Json

from ..exit_codes import Exit
from ..output import fail
from ..settings import unread_variables

_START_S_MAX = 30.0
_STOP_S_MAX = 10.0
_LOOK_EVERY_S = 0.01
#: As in shells.
NOT_FOUND = 127
NOT_EXECUTABLE = 126


def program_path(word: str) -> str:
    """The path of the command *word*. Ends the program as a shell does if it cannot be run."""
    found = shutil.which(word)
    if found is not None:
        return found
    here = Path(word)
    if not os.path.dirname(word):
        lies_here = bool(word) and here.is_file()
        hint = f"did you mean {shlex.quote(f'./{word}')}?" if lies_here else "is it installed?"
        fail(f"no command {word!r} on the PATH", hint, code=NOT_FOUND)
    if here.is_dir():
        detail = f"cannot run {word!r}: it is a folder"
        fail(detail, "name a program in it", code=NOT_EXECUTABLE)
    if here.exists():
        hint = f"`chmod +x {shlex.quote(word)}` makes it so; or name its interpreter first"
        fail(f"cannot run {word!r}: it is not executable", hint, code=NOT_EXECUTABLE)
    detail = f"no command {word!r}: the file does not exist"
    return fail(detail, "is the path right?", code=NOT_FOUND)


@contextmanager
def own_mock(
    ready: Path, report: Path, options: Sequence[str], *, prints_requests: bool = False
) -> Generator[Json]:
    """A mock on a free port; yields its ready file."""
    arguments = [
        *(
            sys.executable,
            "-P",
            "-m",
            "screentest.mock_server.cli",
            "serve",
            "--host=127.0.0.1",
            "--port=0",
        ),
        *(f"--ready-file={ready}", f"--report-file={report}", "--exit-on-stdin-eof"),
        *(() if prints_requests else ("--quiet",)),
        *options,
    ]
    # In a session of its own the mock outlives Ctrl+C and serves the command until that ends. The
    # pipe ends the mock even when this process is killed.
    server = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment_of_mock(),
    )
    try:
        yield _wait_for(ready, server)
    finally:
        assert server.stdin is not None
        server.stdin.close()
        try:
            server.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _environment_of_mock() -> dict[str, str]:
    """Our environment, without the unread variables that `main` has already warned of."""
    unread = unread_variables()
    kept = {name: value for name, value in os.environ.items() if name not in unread}
    # These settings of a pyproject.toml are meant for `serve` alone.
    return {**kept, "SCREENTEST_DB": ":memory:", "SCREENTEST_QUIET": "0"}


def _wait_for(ready: Path, server: subprocess.Popen[bytes]) -> Json:
    ends = time.monotonic() + _START_S_MAX
    while time.monotonic() < ends:
        if ready.exists():
            return json.loads(ready.read_text())
        if server.poll() is not None:
            # It printed the reason on stderr.
            sys.exit(server.returncode or 1)
        time.sleep(_LOOK_EVERY_S)
    detail = f"the mock did not start within {_START_S_MAX:.0f} s"
    return fail(detail, code=Exit.UNREACHABLE)


def environment_with(variables: Mapping[str, str]) -> dict[str, str]:
    """Our environment with *variables*; clients bypass a proxy for the mock."""
    environment = {**os.environ, **variables}
    for name in ("NO_PROXY", "no_proxy"):
        given = environment.get(name)
        environment[name] = ",".join(filter(None, (given, "127.0.0.1,localhost")))
    return environment
