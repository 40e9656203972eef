"""Files that a verb reads or writes, checked before the work begins."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..kernel.errors import MockError


# Later versions of click make this class generic; the oldest that we take does not.
class OutputFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """A path that can be written: its folder exists, and it is not a folder itself.

    *besides* is one further word that is accepted, such as `-` for stdout.

    Raises:
        MockError: the file cannot be written.
    """

    name = "FILE"

    def __init__(self, *, besides: str = "") -> None:
        self._besides = besides

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = _named(value)
        if str(path) == self._besides:
            return path
        folder = path.absolute().parent
        if path.is_dir():
            raise MockError(f"cannot write {path}: it is a folder")
        if not folder.is_dir():
            raise MockError(f"cannot write {path}: its folder does not exist")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise MockError(f"cannot write {path}: permission denied")
        return path


class InputFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """A path of a file that exists and can be read.

    *besides* is one further word that is accepted, such as `-` for stdin.

    Raises:
        MockError: the file does not exist or cannot be read.
    """

    name = "FILE"

    def __init__(self, *, besides: str = "") -> None:
        self._besides = besides

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = _named(value)
        if str(path) == self._besides:
            return path
        if path.is_dir():
            raise MockError(f"cannot read {path}: it is a folder")
        if not path.exists():
            raise MockError(f"cannot read {path}: the file does not exist")
        if not os.access(path, os.R_OK):
            raise MockError(f"cannot read {path}: permission denied")
        return path


def _named(value: str | Path) -> Path:
    if not str(value):
        raise MockError("expected the name of a file, got an empty string")
    return Path(value)


def write_whole(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write *text* to *path* atomically: a reader sees the old file or the new one.

    A new file has the permissions *mode* less the umask. An existing link, pipe or device is kept
    and written to directly.
    """
    flags = os.O_WRONLY | os.O_CREAT
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with os.fdopen(os.open(path, flags | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
        return
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, flags | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
