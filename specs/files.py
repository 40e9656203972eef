"""Reading the contract files, with limits.

YAML takes long to read, even by the C loader: half of the time that a program needs to get ready.
An installed contract therefore lies beside its own decoded form, which the build writes and which
counts as long as the file is the one that it was made from.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from .errors import ContractError
from .json_types import Json

# A hand-written contract needs neither; both bound what a hostile file can cost.
_BYTES_MAX = 5 * 1024 * 1024
#: Rises when the same YAML is to be decoded to something else.
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
    """The content of the file at *path* if it is what the build has left there, else None."""
    try:
        return _decoded_before(path, path.read_bytes())
    except OSError:
        return None


def decoded_path(path: Path) -> Path:
    """Where the decoded form of the file at *path* lies, if anywhere."""
    return path.with_suffix(".decoded.json")


def write_decoded(path: Path) -> None:
    """Put the decoded form of the YAML file at *path* beside it.

    Raises:
        ContractError: the file cannot be read, or JSON cannot say the same.
    """
    text = path.read_bytes()
    content = _decode(path, text)
    try:
        document = orjson.dumps({"of": _digest(text), "content": content})
    except TypeError as error:
        raise ContractError(f"{path} cannot be said in JSON: {error}") from None
    decoded_path(path).write_bytes(document)


def _decoded_before(path: Path, text: bytes) -> Json:
    """The decoded form of *text*; None when there is none, or it is another text's."""
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
    # Not at the top: most programs find every contract decoded.
    from .yaml_loader import YamlError, YamlLimitError, load_yaml

    try:
        return load_yaml(text)
    except YamlError as error:
        raise ContractError(f"{path} is not YAML: {error}") from None
    except YamlLimitError as error:
        raise ContractError(f"{path} is {error}") from None
