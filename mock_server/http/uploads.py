"""Folders for uploaded files while their call is answered, and what a kill leaves of them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..kernel.errors import MockError

_FOLDER = re.compile(r"screentest-uploads-(\d+)-")


class Uploads:
    """The folders of one process, whose number is in their names."""

    def __init__(self) -> None:
        self._open: set[Path] = set()

    @contextmanager
    def folder(self) -> Generator[Path]:
        """A folder for the files of one call.

        Raises:
            MockError: a file cannot be written there, or in what the block writes.
        """
        path: Path | None = None
        try:
            path = Path(tempfile.mkdtemp(prefix=f"screentest-uploads-{os.getpid()}-"))
            self._open.add(path)
            yield path
        except OSError as error:
            raise MockError(
                f"the uploaded files could not be kept: {error.strerror or error};"
                f" make room in {tempfile.gettempdir()}, or set TMPDIR, and try again",
                code="no_room_for_uploads",
                status=503,
            ) from error
        finally:
            if path is not None:
                self._open.discard(path)
                shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Remove what calls that were cut off have left."""
        for path in tuple(self._open):
            shutil.rmtree(path, ignore_errors=True)


def sweep_uploads() -> None:
    """Remove the folders of processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob("screentest-uploads-*"):
        found = _FOLDER.match(path.name)
        if found is not None and not _is_running(int(found[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
