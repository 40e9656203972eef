"""Files that a verb writes: refused before the work is done whose result would be lost."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import MockError


# Later versions of click make this class generic; the oldest that we take does not.
class OutputFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """A path that can be a file: in a folder that exists, and no folder itself.

    Raises:
        MockError: nothing can be written there.
    """

    name = "FILE"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        path = Path(value)
        if not str(value):
            raise MockError("expected the name of a file, got an empty text")
        if path.is_dir():
            raise MockError(f"cannot write {path}: it is a folder")
        if not path.absolute().parent.is_dir():
            raise MockError(f"cannot write {path}: its folder does not exist")
        return path
