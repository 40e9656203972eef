"""Errors of the mock itself, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import orjson

from .guard import Denial


def problem(denial: Denial) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the answer to a denied request; *code* in the body is stable."""
    body = orjson.dumps(
        {
            "title": denial.code.replace("_", " "),
            "status": denial.status,
            "code": denial.code,
            "detail": denial.detail,
        }
    )
    headers = [("Content-Type", "application/problem+json")]
    if denial.status == 401:
        headers.append(("WWW-Authenticate", "Bearer"))
    return headers, body
