"""Reading the contract files, with limits.

Parsing YAML takes half of the start-up time of a program, even with the C loader. The build
therefore writes the decoded form of each contract file beside it. The decoded form is used as long
as the file has not changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from json import JSONDecodeError
from pathlib import Path

import orjson

from .errors import ContractError
from .json_types import Json

#: The files of a contract.
OPENAPI = "openapi.yaml"
BEHAVIOUR = "behaviour.yaml"
READINGS = "readings.yaml"
CHECKS = "checks.yaml"
CLAUSES = "clauses.yaml"
#: The largest public OpenAPI files have twelve; this bounds what a hostile file can cost.
_BYTES_MAX = 16 * 1024 * 1024
#: To be changed when the same YAML must decode to something else.
_EDITION = b"screentest-1"


def read_yaml(path: Path) -> Json:
    """The content of the YAML (or JSON) file at *path*.

    Raises:
        ContractError: it cannot be read, is larger than 16 MiB, or is not YAML.
    """
    text = _read(path)
    decoded = _decoded_before(path, text)
    return decoded if decoded is not None else _decode(path, text)


def read_openapi_text(path: Path) -> Json:
    """The content of the OpenAPI file at *path*; a key such as `200` is a text in it.

    Raises:
        ContractError: as for `read_yaml`.
    """
    return _decode(path, _read(path), keys_are_text=True)


def placed(path: Path, problems: Mapping[str, str]) -> list[str]:
    """Each of *problems*, which are by JSON pointer into the file at *path*, with file and line."""
    lines = lines_of(path, problems)
    return [
        f"{path}{f':{lines[at]}' if at in lines else ''}: {_shown(at)}{detail}"
        for at, detail in problems.items()
    ]


def lines_of(path: Path, pointers: Collection[str]) -> dict[str, int]:
    """The line of each of *pointers* into the file at *path*; nothing if it cannot be read."""
    try:
        return _lines(path.read_bytes(), pointers)
    except (OSError, ValueError):
        return {}


def _shown(pointer: str) -> str:
    steps = pointer[1:].replace("~1", "/").replace("~0", "~")
    return f"at {steps}: " if steps else ""


def _lines(text: bytes, pointers: Collection[str]) -> dict[str, int]:
    """The line of each of *pointers*, or of the nearest value around it that *text* has."""
    # Not at the top: only a wrong file needs lines.
    from .json_text import lines_of_json
    from .yaml_loader import lines_of_yaml

    steps = {it: it.split("/") for it in pointers}
    around = {"/".join(it[:end]) for it in steps.values() for end in range(1, len(it) + 1)}
    if _is_json(text):
        found = lines_of_json(text.decode(errors="replace"), around)
    else:
        found = lines_of_yaml(text, around)
    lines: dict[str, int] = {}
    for pointer in pointers:
        near = pointer
        while near and near not in found:
            near = near.rpartition("/")[0]
        lines[pointer] = found.get(near, 1)
    return lines


def _is_json(text: bytes) -> bool:
    return text[:64].lstrip()[:1] == b"{"


def _read(path: Path) -> bytes:
    try:
        # A device or a pipe would never end.
        with path.open("rb") as file:
            text = file.read(_BYTES_MAX + 1) if path.is_file() else b""
    except OSError as error:
        raise ContractError(f"cannot read {path}: {error.strerror}") from None
    if len(text) > _BYTES_MAX:
        raise ContractError(f"{path} is larger than {_BYTES_MAX} bytes")
    return text


def read_as_built(path: Path) -> Json:
    """The decoded form of the file at *path*, if it is unchanged since the build; else None."""
    try:
        return _decoded_before(path, path.read_bytes())
    except OSError:
        return None


def decoded_path(path: Path) -> Path:
    """The path of the decoded form of the file at *path*."""
    return path.with_suffix(".decoded.json")


def write_decoded(path: Path) -> None:
    """Write the decoded form of the YAML file at *path* beside it.

    Raises:
        ContractError: the file cannot be read, or JSON cannot express its content.
    """
    text = path.read_bytes()
    content = _decode(path, text)
    try:
        document = orjson.dumps({"of": _digest(text), "content": content})
    except TypeError as error:
        raise ContractError(f"{path} cannot be said in JSON: {error}") from None
    decoded_path(path).write_bytes(document)


def _decoded_before(path: Path, text: bytes) -> Json:
    """The decoded form of *text*; None when it is missing, or belongs to another text."""
    try:
        with decoded_path(path).open("rb") as file:
            document: Json = orjson.loads(file.read(_BYTES_MAX))
    except (OSError, orjson.JSONDecodeError):
        return None
    is_ours = isinstance(document, dict) and document.get("of") == _digest(text)
    return document.get("content") if is_ours else None


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16, person=_EDITION).hexdigest()


def _decode(path: Path, text: bytes, *, keys_are_text: bool = False) -> Json:
    # Not at the top: most programs only read decoded files.
    from .json_text import load_json
    from .yaml_loader import YamlError, YamlLimitError, line_of, load_yaml

    if _is_json(text):
        try:
            return load_json(text.decode())
        except ValueError as error:
            # YAML has braces, too.
            if path.suffix == ".json":
                line = f":{error.lineno}" if isinstance(error, JSONDecodeError) else ""
                raise ContractError(f"{path}{line}: this is not JSON: {error}") from None
    try:
        return load_yaml(text, keys_are_text=keys_are_text)
    except YamlError as error:
        at, detail = line_of(error), getattr(error, "problem", None) or error
        place = f"{path}:{at}" if at is not None else path
        raise ContractError(f"{place}: this is not YAML: {detail}") from None
    except YamlLimitError as error:
        raise ContractError(f"{path}:{error.line}: {error}") from None
