"""The functions of the providers, found by the names of their modules."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .provider import Provider

_FOLDER = Path(__file__).parents[1] / "providers"


class Providers(dict[str, "Provider"]):
    """The functions of each provider, loaded at its first call: most programs use one provider."""

    def __missing__(self, name: str) -> Provider:
        self[name] = _load(name)
        return self[name]


def _load(name: str) -> Provider:
    """What the modules of `providers/<name>/` register; nothing if there is no such folder."""
    from .provider import Provider

    gathered = Provider(name)
    for module in sorted(path.stem for path in _FOLDER.glob(f"{name}/[!_]*.py")):
        functions = import_module(f"..providers.{name}.{module}", __package__)
        gathered.include(functions.provider)
    return gathered
