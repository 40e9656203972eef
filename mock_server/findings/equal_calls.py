"""What makes two requests the same."""

from __future__ import annotations

from hashlib import sha256

from ..engine.provider import Request, Upload


def digest_of(request: Request, *scope: str) -> str:
    """A text that is equal for equal requests within *scope*, whatever their headers.

    It is kept with the world, so it is a digest: a query may contain a credential.
    """
    parts = [*scope, request.method, request.path, str(request.query), request.content_type]
    for name, value in (request.form or {}).items():
        parts += name, value.sha256 if isinstance(value, Upload) else value
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    digest.update(request.body)
    return digest.hexdigest()
