"""The functions of the providers, found by the names of their modules."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError

if TYPE_CHECKING:
    from .provider import Provider

_FOLDER = Path(__file__).parents[1] / "providers"


class Providers(dict[str, "Provider"]):
    """The functions of each provider, loaded with the first call of one: most programs use one.

    Those of a contract of the user's are loaded at once.

    Raises:
        ContractError: the user's file raises, or registers nothing.
    """

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        super().__init__()
        for name, contract in contracts.items():
            if contract.code_file is not None:
                self[name] = _load_file(name, contract.code_file)

    def __missing__(self, name: str) -> Provider:
        self[name] = _load(name)
        return self[name]


def _load(name: str) -> Provider:
    """What the modules of `providers/<name>/` register; nothing if there is no such folder."""
    from .provider import Provider

    gathered = Provider(name)
    # Sorted, because the order of a folder differs between file systems.
    for module in sorted(path.stem for path in _FOLDER.glob(f"{name}/[!_]*.py")):
        functions = import_module(f"..providers.{name}.{module}", __package__)
        gathered.include(functions.provider)
    return gathered


def _load_file(name: str, path: Path) -> Provider:
    """What the file at *path*, which comes with a contract of the user's, registers."""
    from .provider import Provider

    spec = spec_from_file_location(f"screentest_contract_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001  it may raise anything
        frames = traceback.extract_tb(error.__traceback__)
        line = next((it.lineno for it in reversed(frames) if it.filename == str(path)), None)
        line = line or getattr(error, "lineno", None) or 1
        detail = f"{type(error).__name__}: {error}"
        raise ContractError(f"{path}:{line}: this file cannot be loaded: {detail}") from None
    provider = getattr(module, "provider", None)
    if not isinstance(provider, Provider) or provider.id != name:
        raise ContractError(f"{path}:1: expected a line `provider = Provider({name!r})`")
    return provider
