"""Reading bodies: JSON into memory, files to disk, limits enforced while reading."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast
from wsgiref.types import WSGIEnvironment

from screentest.specs.behaviour.call_limits import Limits

from ..engine.provider import BodyProblem, Upload

Environ = Mapping[str, Any]

_PARTS_MAX = 100
_HEAD_BYTES = 512


class UploadTooLargeError(Exception):
    """A file part went past the limit."""


class _FilePart:
    """Receives one file part: to disk, counted and hashed as it comes."""

    def __init__(self, folder: Path, limit: int) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")
        self._limit = limit
        self._sha256 = hashlib.sha256()
        self.size = 0
        self.head = b""

    def write(self, chunk: bytes) -> int:
        self.size += len(chunk)
        if self.size > self._limit:
            self._file.close()
            raise UploadTooLargeError
        if len(self.head) < _HEAD_BYTES:
            self.head += chunk[: _HEAD_BYTES - len(self.head)]
        self._sha256.update(chunk)
        return self._file.write(chunk)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()

    def to_upload(self, field: str, filename: str, content_type: str) -> Upload:
        self._file.close()
        digest = self._sha256.hexdigest()
        return Upload(field, filename, content_type, self.path, self.size, digest, self.head)


def read_form(
    environ: Environ, folder: Path, limits: Limits
) -> tuple[dict[str, str | Upload] | None, BodyProblem | None]:
    """The fields of a multipart body, or what is wrong with it. Files land in *folder*.

    A field that comes twice keeps its first value.
    """
    # Loaded with the first form: most mocks in a test's process never get one.
    from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
    from werkzeug.formparser import FormDataParser
    from werkzeug.http import parse_options_header
    from werkzeug.wsgi import get_input_stream

    content_type, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    if content_type == "multipart/form-data" and not options.get("boundary"):
        return None, BodyProblem("malformed_body", {"problem": "the form names no boundary"})
    parts: list[_FilePart] = []

    def receive(*_: object, **__: object) -> BinaryIO:
        part = _FilePart(folder, limits.upload_bytes_max)
        parts.append(part)
        return cast(BinaryIO, part)  # it has what the parser uses: write, seek, close

    length = int(environ.get("CONTENT_LENGTH") or 0)
    parser = FormDataParser(
        stream_factory=receive,
        max_form_memory_size=limits.field_bytes_max,
        max_form_parts=_PARTS_MAX,
        silent=False,
    )
    try:
        # Some servers hand over the bare socket, which never ends: it is read up to the length.
        is_chunked = bool(environ.get("HTTP_TRANSFER_ENCODING"))
        stream = get_input_stream(cast(WSGIEnvironment, environ), safe_fallback=not is_chunked)
        _, fields, files = parser.parse(stream, content_type, length, options)
    except UploadTooLargeError:
        return None, BodyProblem(
            "too_large", {"what": "The uploaded file", "limit": limits.upload_bytes_max}
        )
    except RequestEntityTooLarge:
        # The parser does not say which of the two it was.
        problem = (
            f"the form has more than {_PARTS_MAX} parts, "
            f"or a field of more than {limits.field_bytes_max} bytes"
        )
        return None, BodyProblem("malformed_body", {"problem": problem})
    except ClientDisconnected:
        problem = "the form ends before its announced length"
        return None, BodyProblem("malformed_body", {"problem": problem})
    except ValueError as error:
        return None, BodyProblem("malformed_body", {"problem": str(error) or "no valid form"})
    form: dict[str, str | Upload] = dict(fields.items())
    for name, file in files.items():
        part = cast(_FilePart, file.stream)
        form.setdefault(
            name, part.to_upload(name, file.filename or "", (file.mimetype or "").lower())
        )
    if not form and length:
        return None, BodyProblem("malformed_body", {"problem": "the form has no parts"})
    # The parser gives None for a name that it cannot read, although its types exclude that.
    names: list[Any] = list(form)
    if None in names:
        problem = "a part of the form has no name that can be read"
        return None, BodyProblem("malformed_body", {"problem": problem})
    if any("\x00" in value for value in form.values() if isinstance(value, str)):
        problem = "a string contains the character U+0000"
        return None, BodyProblem("malformed_body", {"problem": problem})
    return form, None


def read_bytes(environ: Environ, limit: int) -> tuple[bytes, BodyProblem | None]:
    """The whole body, or that it is larger than *limit*."""
    stream: BinaryIO = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        wanted = int(length)
        if wanted > limit:
            return b"", BodyProblem("too_large", {"what": "The request body", "limit": limit})
        return stream.read(wanted) if wanted else b"", None
    if not environ.get("HTTP_TRANSFER_ENCODING"):
        return b"", None
    body = stream.read(limit + 1)
    if len(body) > limit:
        return b"", BodyProblem("too_large", {"what": "The request body", "limit": limit})
    return body, None
