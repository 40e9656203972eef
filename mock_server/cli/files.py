"""Files that a verb reads or writes, checked before the work begins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from ..kernel.errors import MockError
from ..store.database_urls import is_database_url

#: SQLite's name for a database in memory; `--db :memory:` overrides a file from a setting.
_MEMORY = ":memory:"


# Later versions of click make this class generic; the oldest that we take does not.
class _File(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """A path that *check* accepts, or the word *besides*."""

    name = "FILE"

    def __init__(self, check: Callable[[Path], None], besides: str) -> None:
        self._check = check
        self._besides = besides

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        if not str(value):
            raise MockError("expected the name of a file, got an empty string")
        path = Path(value)
        if str(path) != self._besides:
            self._check(path)
        return path


def output_file(*, besides: str = "") -> _File:
    """An option's type: a path that can be written. *besides* is accepted too, such as `-`.

    Converting a value raises a MockError unless its folder exists and it is not a folder.
    """
    return _File(_check_output, besides)


def database_file(value: str) -> Path | str | None:
    """An option's type: a file that can be written, the URL of a database, None for `:memory:`."""
    if value == _MEMORY:
        return None
    return value if is_database_url(value) else output_file().convert(value, None, None)


def input_file(*, besides: str = "") -> _File:
    """An option's type: a file that can be read. *besides* is accepted too, such as `-`.

    Converting a value raises a MockError unless the file exists.
    """
    return _File(_check_input, besides)


# As above.
class _Report(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """`html:report.html`, of one of *kinds*."""

    name = "KIND:FILE"

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        kind, colon, path = value.partition(":")
        if kind not in self._kinds or not colon or not path:
            detail = f"expected one of {', '.join(self._kinds)}, a colon and a file, got {value!r}"
            self.fail(detail, param, ctx)
        return kind, output_file().convert(path, param, ctx)


def report_file(*kinds: str) -> _Report:
    """An option's type: one of *kinds*, a colon and a path that can be written."""
    return _Report(*kinds)


def _check_output(path: Path) -> None:
    folder = path.absolute().parent
    if path.is_dir():
        raise MockError(f"cannot write {path}: it is a folder")
    if not folder.is_dir():
        raise MockError(f"cannot write {path}: its folder does not exist")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise MockError(f"cannot write {path}: permission denied")


def _check_input(path: Path) -> None:
    if path.is_dir():
        raise MockError(f"cannot read {path}: it is a folder")
    if not path.exists():
        raise MockError(f"cannot read {path}: the file does not exist")
    if not os.access(path, os.R_OK):
        raise MockError(f"cannot read {path}: permission denied")


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
