"""Settings: an option, a variable, or a line in pyproject.toml.

Precedence: option, then SCREENTEST_… variable, then `[tool.screentest]` of the nearest
pyproject.toml upwards, then the default.
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
from click.core import ParameterSource

from screentest.specs.errors import no_such
from screentest.specs.json_types import Json

from ..kernel.errors import MockError
from .exit_codes import Exit

#: Upwards from the working folder; a deeper tree is a mistake.
_FOLDERS_MAX = 64
#: What listens on every address of the machine is reached on its loopback.
_REACHED_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}

#: What a file says that has such a table, and some that have none.
_OUR_TABLE = re.compile(r"""screentest["']?\s*[\].=]""")
_KINDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list of texts"}

#: As the control API takes them: whole numbers that JSON carries everywhere.
SEEDS = click.IntRange(0, 9_007_199_254_740_991)


_PREFIX = "SCREENTEST_"
#: Findings that make `run` fail.
FAIL_ON = ("never", "error", "warning")
#: What is read besides the settings, by `serve`, `verify` and every verb that calls a mock.
OTHER_VARIABLES = frozenset(
    f"SCREENTEST_{name}"
    for name in (
        "API_KEY",
        "BEARER",
        "BUDGET",
        "CONTROL_TOKEN",
        "LIVE",
        "SECOND_API_KEY",
        "TIME_SCALE",
    )
)


class ConfigError(click.ClickException):
    """The settings file is invalid."""

    exit_code = Exit.INVALID


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. *kind* is what its value must be in pyproject.toml; *check* raises otherwise."""

    variable: str
    default: Json
    kind: type
    help: str
    check: Callable[[Any], object] = id


def _port(value: int) -> None:
    _within(value, 0, 65_535)


def _seed(value: int) -> None:
    _within(value, int(SEEDS.min or 0), int(SEEDS.max or 0))


def _within(value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise MockError(f"expected a number from {least} to {most}, got {value}")


def _clock(value: str) -> None:
    # Every verb reads these settings, and most projects set no clock.
    from ..kernel.clock import read_clock

    read_clock(value)


def _pace(value: str) -> None:
    from ..kernel.lifecycle import read_pace

    read_pace(value)


def _fail_on(value: str) -> None:
    if value not in FAIL_ON:
        raise MockError(f"expected one of {', '.join(FAIL_ON)}, got {value!r}")


SETTINGS: Mapping[str, Setting] = {
    "host": Setting("SCREENTEST_HOST", "127.0.0.1", str, "Address to listen on."),
    "port": Setting("SCREENTEST_PORT", 8787, int, "Port to listen on; 0 takes a free one.", _port),
    "provider": Setting("SCREENTEST_PROVIDER", [], list, "The providers to serve; empty is all."),
    "seed": Setting("SCREENTEST_SEED", 1, int, "Same seed, same calls: same bytes.", _seed),
    "clock": Setting("SCREENTEST_CLOCK", "real", str, "What moves the clock.", _clock),
    "pace": Setting("SCREENTEST_PACE", "documented", str, "How long jobs take.", _pace),
    "db": Setting("SCREENTEST_DB", None, str, "Keep everything in this SQLite file."),
    "pure": Setting("SCREENTEST_PURE", False, bool, "Leave out our own response headers."),
    "quiet": Setting("SCREENTEST_QUIET", False, bool, "Print no line per request."),
    "webhook-allow": Setting(
        "SCREENTEST_WEBHOOK_ALLOW", [], list, "Networks that webhooks may go to besides."
    ),
    "fail-on": Setting(
        "SCREENTEST_FAIL_ON", "never", str, "Findings that make `run` fail.", _fail_on
    ),
    "url": Setting("SCREENTEST_URL", "http://127.0.0.1:8787", str, "Address of the running mock."),
    "world": Setting("SCREENTEST_WORLD", "default", str, "Which world is meant."),
}


def setting_option(name: str, *flags: str, **extra: Any) -> Callable[[Any], Any]:
    """The click option of setting *name*, with its other sources behind it."""
    setting = SETTINGS[name]
    detail = extra.pop("help", setting.help)
    # click cannot show what a function would give, and the file is not read for `--help`.
    shown = f"  [default: {setting.default}]" if setting.default not in (None, [], False) else ""
    return click.option(
        *(flags or (f"--{name}",)),
        envvar=setting.variable,
        default=lambda: configured(name),
        help=detail + shown,
        **extra,
    )


def configured(name: str) -> Json:
    """The value of *name* from pyproject.toml, or its default.

    Raises:
        ConfigError: the file is wrong.
    """
    found = project_settings()[1]
    if name == "url" and name not in found:
        return _own_url(found)
    return found.get(name, SETTINGS[name].default)


def _own_url(found: Mapping[str, Json]) -> str:
    """Where `serve` listens with the same settings, so that the other verbs find it."""
    host, port = (
        str(os.environ.get(SETTINGS[name].variable) or found.get(name, SETTINGS[name].default))
        for name in ("host", "port")
    )
    if not port.isdecimal() or int(port) == 0:
        return str(SETTINGS["url"].default)
    host = _REACHED_AS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_given(name: str) -> bool:
    """Whether the running command was told setting *name*: by a flag, a variable or the file."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not ParameterSource.DEFAULT or name in project_settings()[1]


def unread_variables() -> dict[str, str]:
    """Variables that are named like ours and that nothing reads, with what is nearest, or ""."""
    known = OTHER_VARIABLES | {it.variable for it in SETTINGS.values()}
    unread = [it for it in os.environ if it.startswith(_PREFIX) and it not in known]
    if not unread:
        return {}
    from difflib import get_close_matches

    words = [it.removeprefix(_PREFIX) for it in known]
    near = {it: get_close_matches(it.removeprefix(_PREFIX), words, n=1) for it in unread}
    return {it: f"{_PREFIX}{close[0]}" if close else "" for it, close in near.items()}


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
        elif configured(name) != value:
            value, source = configured(name), "host and port"
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
    except FileNotFoundError:  # the folder was removed
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
        try:
            SETTINGS[name].check(value)
        except MockError as error:
            raise ConfigError(f"{path}: [tool.screentest] {name}: {error}") from None
    return table


def _is_of(kind: type, value: Json) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(it, str) for it in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
