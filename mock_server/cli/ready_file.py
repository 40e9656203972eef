"""The ready file: it exists while a mock listens, and contains its address."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from screentest.specs.json_types import Json

from ..kernel.errors import MockError
from ..kernel.version import __version__


def readiness(url: str, world: Json) -> Json:
    """What a parent process needs to know of this mock, which answers at *url* with *world*."""
    return {
        "url": url,
        "control": f"{url}/_screentest",
        "pid": os.getpid(),
        "version": __version__,
        "env": {"SCREENTEST_URL": url, **world["env"]},
    }


def stop_when_stdin_ends() -> None:
    """Stop when the parent process ends, even if it is killed."""
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def remove_ready_file(path: Path, *, of_process: int | None = None) -> None:
    """Delete the file of an earlier mock. With *of_process*, only if that process wrote it.

    Raises:
        MockError: the file cannot be deleted.
    """
    # A mock creates ordinary files only, so a link, a pipe or a device was made by the user.
    if path.is_symlink() or not path.is_file():
        return
    if of_process is not None and _process(path) != of_process:
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise MockError(f"cannot write {path}: {error.strerror}") from None


def _process(path: Path) -> int | None:
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return said.get("pid") if isinstance(said, dict) else None
