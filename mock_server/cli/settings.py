"""Settings of the command line.

A setting has its value from the first of: option, SCREENTEST_… variable, `[tool.screentest]` of the
nearest pyproject.toml upwards, default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.types import FuncParamType

from screentest.specs.errors import ContractError, no_such
from screentest.specs.json_types import Json
from screentest.specs.project_file import project_table

from ..kernel.errors import MockError
from .exit_codes import Exit

#: A server that listens on all addresses is reached on loopback.
_REACHED_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}

_KINDS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings"}

#: The seeds of the control API: JSON carries such integers exactly.
SEEDS = click.IntRange(0, 9_007_199_254_740_991)
_PREFIX = "SCREENTEST_"
#: Variables that `serve`, `verify` and the client verbs read besides those of settings.
OTHER_VARIABLES = frozenset(
    f"{_PREFIX}{name}"
    for name in (
        "API_KEY",
        "BEARER",
        "BUDGET",
        "CALLBACK_SECRET",
        "CONTROL_TOKEN",
        "EMPTY_API_KEY",
        "INTERCEPTED",
        "LIVE",
        "REVOKED_API_KEY",
        "SECOND_API_KEY",
        "TIME_SCALE",
        "UPSTREAM_API_KEY",
        "UPSTREAM_BEARER",
        "WEBHOOK_SECRET",
    )
)


class ConfigError(click.ClickException):
    """The settings file is invalid."""

    exit_code = Exit.INVALID


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. *values* is the click type of its option, which also checks a file's value."""

    name: str
    default: Json
    help: str
    # A `click.ParamType`, which later versions of click make generic and older ones do not.
    values: Any = None

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return _PREFIX + self.name.upper().replace("-", "_")

    @property
    def kind(self) -> type:
        """The type of its value in a file."""
        return str if self.default is None else type(self.default)

    def check(self, value: Json) -> None:
        """Check *value*, which is from a file.

        Raises:
            MockError: the value has the wrong type, or is out of range.
        """
        # A bool is an int in Python.
        fits = isinstance(value, self.kind) and (self.kind is bool or not isinstance(value, bool))
        if isinstance(value, list):
            fits = fits and all(isinstance(it, str) for it in value)
        if not fits:
            raise MockError(f"expected {_KINDS[self.kind]}, got {value!r}")
        if self.values is not None:
            try:
                self.values.convert(value, None, None)
            except click.BadParameter as error:
                raise MockError(error.message.rstrip(".")) from None


def _clock(value: str) -> str:
    # Imported here: every verb has settings, and most projects set no clock.
    from ..kernel.clock import read_clock

    read_clock(value)
    return value


def _pace(value: str) -> str:
    from ..kernel.lifecycle import read_pace

    read_pace(value)
    return value


def _fail_on(value: str) -> str:
    """*value* if it is never, error, warning, or codes and severities with commas between them.

    Raises:
        MockError: it names an unknown severity or code.
    """
    severities = "never", "error", "warning"
    for name in value.split(","):
        if name not in severities and not _is_code(name):
            known = ", ".join(map(repr, severities))
            raise MockError(f"{name!r} is not one of {known}, and not a code such as 'SC212'")
    return value


def _is_code(name: str) -> bool:
    # Imported here: every verb has settings, and most projects name no code.
    from ..findings.explanations import explanations

    return name in explanations()


_FAIL_ON = FuncParamType(_fail_on)
SETTINGS: Mapping[str, Setting] = {
    it.name: it
    for it in (
        Setting("host", "127.0.0.1", "Address to listen on."),
        Setting("port", 8787, "Port to listen on; 0 takes a free one.", click.IntRange(0, 65_535)),
        Setting("provider", [], "The providers to serve. Default: all."),
        Setting("contracts", [], "Further contracts: folders, or OpenAPI files."),
        Setting("seed", 1, "The same seed and the same calls give the same bytes.", SEEDS),
        Setting("clock", "real", "What moves the clock.", FuncParamType(_clock)),
        Setting("pace", "documented", "How long jobs take.", FuncParamType(_pace)),
        Setting("db", None, "Keep the state in this SQLite file, or in postgresql://…."),
        Setting("keep", 1_000_000, "Resources to keep; 0 keeps all.", click.IntRange(0)),
        Setting("pure", False, "Leave out the X-Screentest-… response headers."),
        Setting("quiet", False, "Print no line for each request."),
        Setting("webhook-allow", [], "Further networks to which webhooks are sent."),
        Setting("fail-on", "never", "Findings that make `run` fail.", _FAIL_ON),
        Setting("url", "http://127.0.0.1:8787", "Address of the running mock."),
        Setting("world", "default", "The world to use."),
    )
}


def setting_option(name: str, *flags: str, **extra: Any) -> Callable[[Any], Any]:
    """The click option of setting *name*; *extra* overrides its attributes."""
    setting = SETTINGS[name]
    given: dict[str, Any] = {
        "type": setting.values,
        "help": setting.help,
        "multiple": setting.kind is list,
        "is_flag": setting.kind is bool,
        **extra,
    }
    # A default that is a function has no text in `--help`, which must not read the file.
    if setting.default not in (None, [], False):
        given["help"] += f"  [default: {setting.default}]"
    # Not click's `default_map`: it would also reach options that are not settings and have the name
    # of one, such as `verify --url`.
    return click.option(
        *(flags or (f"--{name}",)),
        envvar=setting.variable,
        default=lambda: configured(name),
        **given,
    )


def configured(name: str) -> Json:
    """The value of *name* from pyproject.toml, or its default.

    Raises:
        ConfigError: the file is invalid.
    """
    found = project_settings()[1]
    if name == "url" and name not in found:
        return _own_url(found)
    return found.get(name, SETTINGS[name].default)


def _own_url(found: Mapping[str, Json]) -> str:
    """The address of a `serve` with the same settings, so that the other verbs find it."""
    host, port = (
        str(os.environ.get(SETTINGS[name].variable) or found.get(name, SETTINGS[name].default))
        for name in ("host", "port")
    )
    if not port.isdecimal() or int(port) == 0:
        return str(SETTINGS["url"].default)
    host = _REACHED_AS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_given(name: str) -> bool:
    """Whether setting *name* of the running command is from an option, a variable or the file."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not ParameterSource.DEFAULT or name in project_settings()[1]


def unread_variables() -> dict[str, str]:
    """SCREENTEST_… variables that no verb reads, each with the nearest known one, or ""."""
    known = OTHER_VARIABLES | {it.variable for it in SETTINGS.values()}
    unread = [it for it in os.environ if it.startswith(_PREFIX) and it not in known]
    if not unread:
        return {}
    from difflib import get_close_matches

    words = [it.removeprefix(_PREFIX) for it in known]
    near = {it: get_close_matches(it.removeprefix(_PREFIX), words, n=1) for it in unread}
    return {it: f"{_PREFIX}{close[0]}" if close else "" for it, close in near.items()}


def all_settings() -> list[Mapping[str, Json]]:
    """Name, value and source of every setting, without options.

    Raises:
        ConfigError: the file is invalid.
    """
    path, found = project_settings()
    shown: list[Mapping[str, Json]] = []
    for name, setting in SETTINGS.items():
        value = configured(name)
        source = "default" if value == setting.default else "host and port"
        if name in found:
            source = str(path)
        if os.environ.get(setting.variable):
            value, source = os.environ[setting.variable], setting.variable
        shown.append({"name": name, "value": value, "source": source})
    return shown


def project_settings() -> tuple[Path | None, Mapping[str, Json]]:
    """The nearest pyproject.toml with a `[tool.screentest]`, and this table.

    Raises:
        ConfigError: the file is not TOML, or has an unknown key or an invalid value.
    """
    try:
        path, table = project_table()
    except ContractError as error:
        raise ConfigError(str(error)) from None
    if path is None:
        return None, {}
    return path, _checked(path, table)


def _checked(path: Path, table: Json) -> Mapping[str, Json]:
    for name, value in table.items():
        if name not in SETTINGS:
            raise ConfigError(f"{path}: [tool.screentest] has {no_such('key', name, SETTINGS)}")
        try:
            SETTINGS[name].check(value)
        except MockError as error:
            raise ConfigError(f"{path}: [tool.screentest] {name}: {error}") from None
    checked: Mapping[str, Json] = table
    return checked
