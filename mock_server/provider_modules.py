"""The functions of the providers, found by the names of their modules."""

from __future__ import annotations

import importlib
import pkgutil

from . import providers
from .provider import Provider


class Providers(dict[str, Provider]):
    """The functions of each provider, loaded with the first call of one: most programs use one."""

    def __missing__(self, name: str) -> Provider:
        self[name] = _load(name)
        return self[name]


def _load(name: str) -> Provider:
    """What `<name>.py` and `<name>_<subject>.py` register; nothing for a provider in data alone."""
    gathered = Provider(name)
    for module in pkgutil.iter_modules(providers.__path__):
        if module.name == name or module.name.startswith(f"{name}_"):
            gathered.include(
                importlib.import_module(f"{providers.__name__}.{module.name}").provider
            )
    return gathered
