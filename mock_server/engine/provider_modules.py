"""The functions of the providers, found by the names of their modules."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .provider import Provider

_FOLDER = Path(__file__).parents[1] / "providers"


class Providers(dict[str, "Provider"]):
    """The functions of each provider, loaded with the first call of one: most programs use one."""

    def __missing__(self, name: str) -> Provider:
        self[name] = _load(name)
        return self[name]


def _load(name: str) -> Provider:
    """What the modules of `providers/<name>/` register; nothing for a provider in data alone."""
    from .provider import Provider

    gathered = Provider(name)
    for module in sorted(path.stem for path in _FOLDER.glob(f"{name}/[!_]*.py")):
        functions = import_module(f"..providers.{name}.{module}", __package__)
        gathered.include(functions.provider)
    return gathered
