"""The table `[tool.screentest]` of the nearest pyproject.toml."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from .errors import ContractError
from .json_types import Json

#: Matches every file with our table, and a few without.
_OUR_TABLE = re.compile(r"""screentest["']?\s*[\].=]""")


def project_table(folder: Path | None = None) -> tuple[Path | None, Json]:
    """The nearest pyproject.toml with the table, from *folder* upwards, and the table.

    (None, {}) if there is none. *folder* None is the working folder.

    Raises:
        ContractError: the file is not TOML, or the table is not one.
    """
    try:
        start = folder or Path.cwd()
    except FileNotFoundError:  # the folder was removed
        return None, {}
    return _nearest(start)


@cache
def _nearest(folder: Path) -> tuple[Path | None, Json]:
    for above in (folder, *folder.parents):
        path = above / "pyproject.toml"
        table = _read_table(path)
        if table is not None:
            if not isinstance(table, dict):
                raise ContractError(f"{path}: tool.screentest: expected a table, got {table!r}")
            return path, table
    return None, {}


def _read_table(path: Path) -> Json | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    # Parsing TOML takes milliseconds, which projects without our table need not wait for.
    if _OUR_TABLE.search(text) is None:
        return None
    import tomllib

    try:
        tools = tomllib.loads(text).get("tool")
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise ContractError(f"{path} is nested too deeply") from None
    return tools.get("screentest") if isinstance(tools, dict) else None
