"""Reading the contract files: YAML by the C loader where there is one, with limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .errors import ContractError

Json = Any

# The C loader is ten times faster; PyYAML ships without it where libyaml was missing at build time.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A hand-written contract needs neither; both bound what a hostile file can cost.
_BYTES_MAX = 5 * 1024 * 1024


class _Loader(_LOADER):  # type: ignore[valid-type,misc]  # chosen at run time, both are SafeLoader
    """Keeps dates as the strings that JSON Schema expects."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Json:
    """The content of the YAML (or JSON) file at *path*.

    Raises:
        ContractError: it cannot be read, is larger than 5 MiB, or is not YAML.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ContractError(f"cannot read {path}: {error.strerror}") from None
    if len(text) > _BYTES_MAX:
        raise ContractError(f"{path} is larger than {_BYTES_MAX} bytes")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ContractError(f"{path} is not YAML: {error}") from None
