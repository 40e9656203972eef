"""Reading the contract files, with limits.

Parsing YAML takes half of the start-up time of a program, even with the C loader. The build
therefore writes the decoded form of each contract file beside it. The decoded form is used as long
as the file has not changed since.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from .errors import ContractError
from .json_types import Json

# A hand-written contract stays far below; this bounds what a hostile file can cost.
_BYTES_MAX = 5 * 1024 * 1024
#: To be changed when the same YAML must decode to something else.
_EDITION = b"screentest-1"


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
    decoded = _decoded_before(path, text)
    return decoded if decoded is not None else _decode(path, text)


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


def _decode(path: Path, text: bytes) -> Json:
    # Not at the top: most programs only read decoded files.
    from .yaml_loader import YamlError, YamlLimitError, load_yaml

    try:
        return load_yaml(text)
    except YamlError as error:
        raise ContractError(f"{path} is not YAML: {error}") from None
    except YamlLimitError as error:
        raise ContractError(f"{path} is {error}") from None
