"""What can be set beside the command line: a variable, or a line in pyproject.toml.

Precedence: flag, then SCREENTEST_… variable, then `[tool.screentest]` of the nearest pyproject.toml
upwards, then the default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from screentest.specs.errors import no_such

Json = Any

#: Upwards from the working folder; deeper trees are somebody's mistake.
_FOLDERS_MAX = 64


#: What a file says that has such a table, and some that have none.
_OUR_TABLE = re.compile(r"""screentest["']?\s*[\].=]""")
_KINDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list of texts"}

#: As the control API takes them: whole numbers that JSON carries everywhere.
SEEDS = click.IntRange(0, 9_007_199_254_740_991)


class ConfigError(click.ClickException):
    """The configuration file is wrong; told in one line, exit code 4."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. *kind* is what its value must be in pyproject.toml."""

    variable: str
    default: Json
    kind: type
    told: str


SETTINGS: Mapping[str, Setting] = {
    "host": Setting("SCREENTEST_HOST", "127.0.0.1", str, "Address to listen on."),
    "port": Setting("SCREENTEST_PORT", 8787, int, "Port to listen on; 0 takes a free one."),
    "provider": Setting("SCREENTEST_PROVIDER", [], list, "The providers to serve; empty is all."),
    "seed": Setting("SCREENTEST_SEED", 1, int, "Same seed, same calls: same bytes."),
    "clock": Setting("SCREENTEST_CLOCK", "real", str, "What moves the clock."),
    "pace": Setting("SCREENTEST_PACE", "documented", str, "How long jobs take."),
    "db": Setting("SCREENTEST_DB", None, str, "Keep everything in this SQLite file."),
    "pure": Setting("SCREENTEST_PURE", False, bool, "Leave out our own response headers."),
    "quiet": Setting("SCREENTEST_QUIET", False, bool, "Print no line per request."),
    "webhook-allow": Setting(
        "SCREENTEST_WEBHOOK_ALLOW", [], list, "Networks that webhooks may go to besides."
    ),
    "fail-on": Setting("SCREENTEST_FAIL_ON", "never", str, "Findings that make `run` fail."),
    "url": Setting("SCREENTEST_URL", "http://127.0.0.1:8787", str, "Address of the running mock."),
    "world": Setting("SCREENTEST_WORLD", "default", str, "Which world is meant."),
}


def setting_option(name: str, *flags: str, **extra: Any) -> Callable[[Any], Any]:
    """The click option of setting *name*, with its other sources behind it."""
    setting = SETTINGS[name]
    told = extra.pop("help", setting.told)
    # click cannot show what a function would give, and the file is not read for `--help`.
    shown = f"  [default: {setting.default}]" if setting.default not in (None, [], False) else ""
    return click.option(
        *(flags or (f"--{name}",)),
        envvar=setting.variable,
        default=lambda: configured(name),
        help=told + shown,
        **extra,
    )


def configured(name: str) -> Json:
    """The value of *name* from pyproject.toml, or its default.

    Raises:
        ConfigError: the file is wrong.
    """
    return project_settings()[1].get(name, SETTINGS[name].default)


def all_settings() -> list[Mapping[str, Json]]:
    """Name, value and source of every setting, without flags.

    Raises:
        ConfigError: the file is wrong.
    """
    path, found = project_settings()
    shown: list[Mapping[str, Json]] = []
    for name, setting in SETTINGS.items():
        value, source = setting.default, "default"
        if name in found:
            value, source = found[name], str(path)
        if os.environ.get(setting.variable):
            value, source = os.environ[setting.variable], setting.variable
        shown.append({"name": name, "value": value, "source": source})
    return shown


@cache
def project_settings() -> tuple[Path | None, Mapping[str, Json]]:
    """The nearest pyproject.toml with a `[tool.screentest]`, and what it says.

    Raises:
        ConfigError: it is no TOML, or has a key or a value that does not belong there.
    """
    try:
        folder = Path.cwd()
    except FileNotFoundError:  # somebody has removed it under our feet
        return None, {}
    for _ in range(_FOLDERS_MAX):
        path = folder / "pyproject.toml"
        table = _read_table(path)
        if table is not None:
            return path, _checked(path, table)
        if folder == folder.parent:
            break
        folder = folder.parent
    return None, {}


def _read_table(path: Path) -> Json | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    # Reading TOML costs milliseconds, which projects without our table need not pay.
    if _OUR_TABLE.search(text) is None:
        return None
    import tomllib

    try:
        tools = tomllib.loads(text).get("tool")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply") from None
    return tools.get("screentest") if isinstance(tools, dict) else None


def _checked(path: Path, table: Json) -> Mapping[str, Json]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.screentest: expected a table, got {table!r}")
    for name, value in table.items():
        if name not in SETTINGS:
            raise ConfigError(f"{path}: [tool.screentest] has {no_such('key', name, SETTINGS)}")
        kind = SETTINGS[name].kind
        if not _is_of(kind, value):
            raise ConfigError(
                f"{path}: [tool.screentest] {name}: expected {_KINDS[kind]}, got {value!r}"
            )
    return table


def _is_of(kind: type, value: Json) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(it, str) for it in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
