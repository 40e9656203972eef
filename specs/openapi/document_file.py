"""Read an OpenAPI file of any vendor: 3.0 or 3.1, YAML or JSON, in one file or several."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from ..errors import ContractError
from ..files import OPENAPI, read_as_built
from ..json_types import Json

_PROBLEMS_MAX = 200
_NAMES = (OPENAPI, "openapi.yml", "openapi.json")


def openapi_file(place: Path) -> Path:
    """The OpenAPI file that *place* is, or that it has.

    Raises:
        ContractError: the folder has no such file, or the file is a link to a place outside it.
    """
    if not place.is_dir():
        return place
    for name in _NAMES:
        path = place / name
        if path.is_file():
            if not path.resolve().is_relative_to(place.resolve()):
                raise ContractError(f"{path}: this is a symbolic link outside of the folder")
            return path
    raise ContractError(f"{place}: no OpenAPI file here; name it openapi.yaml or openapi.json")


def read_document(path: Path) -> Json:
    """The document in the OpenAPI file at *path*, in the one form that the rest of the code reads.

    That is OpenAPI 3.1 with an id for each operation, and with references inside the document only.

    Raises:
        ContractError: the file cannot be served; it has every problem with file and line.
    """
    built = read_as_built(path)
    if built is not None:
        # What was built was checked before it: that the checks pass is a test of ours.
        return built
    return served_form(path)


def served_form(path: Path, document: Json = None) -> Json:
    """As `read_document`, of a *document* that takes the place of the file's content.

    Raises:
        ContractError: it cannot be served.
    """
    # Not at the top: an installed contract needs none of it.
    from .bundling import Bundle
    from .checking import check_content, check_structure
    from .upgrading import upgrade

    bundle = Bundle(path, document)
    _raise_problems(bundle.problems)
    check_structure(bundle)
    _raise_problems(bundle.problems)
    upgrade(bundle)
    check_content(bundle)
    _raise_problems(bundle.problems)
    return bundle.document


def check_document(path: Path, document: Json) -> None:
    """Raises unless *document*, which a reading made of the file at *path*, can be served.

    Raises:
        ContractError: it has every problem.
    """
    from .bundling import Bundle
    from .checking import check_content, check_structure

    bundle = Bundle(path, deepcopy(document))
    for check in (check_structure, check_content):
        _raise_problems(bundle.problems)
        check(bundle)
    _raise_problems(bundle.problems)


def _raise_problems(problems: list[str]) -> None:
    if len(problems) > _PROBLEMS_MAX:
        more = len(problems) - _PROBLEMS_MAX
        problems = [*problems[:_PROBLEMS_MAX], f"and {more} more problems"]
    if problems:
        raise ContractError(*problems)
