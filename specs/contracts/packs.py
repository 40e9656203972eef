"""Contracts of installed packages: the entry points of the group `screentest.contracts`.

Read from the files of the packages. `importlib.metadata` would read those of every package and
takes longer to load than a mock takes to start; and it would import nothing less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from ..errors import ContractError

GROUP = "screentest.contracts"


class Pack(Struct, frozen=True):
    """A contract in an installed package. *distribution* is the package with its version."""

    name: str
    place: Path
    distribution: str


def installed_packs(search: Sequence[str]) -> Iterator[Pack]:
    """The packs in the folders of *search*, such as `sys.path`.

    Raises:
        ContractError: an entry point names a package that cannot be found.
    """
    for folder in dict.fromkeys(search):
        for path in sorted(Path(folder or ".").glob("*.dist-info/entry_points.txt")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if f"[{GROUP}]" in text:
                yield from _packs_in(text, path)


def _packs_in(text: str, path: Path) -> Iterator[Pack]:
    # Not at the top: most projects have no pack.
    from configparser import ConfigParser, Error

    distribution = path.parent.name.removesuffix(".dist-info").replace("-", " ")
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    try:
        parser.read_string(text)
    except Error as error:
        raise ContractError(f"{path}: {error}") from None
    for name, value in parser[GROUP].items():
        package, _, below = value.partition(":")[0].partition(".")
        # A top-level package is found without being imported.
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        if not places:
            raise ContractError(f"{path}: {name} names the package {value!r}, which is not there")
        yield Pack(
            name, Path(places[0], *below.split(".")) if below else Path(places[0]), distribution
        )
