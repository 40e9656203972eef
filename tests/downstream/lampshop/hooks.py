"""The address that UGC Copilot tells of finished videos: a plain WSGI application."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass
class Hooks:
    """Accepts each event once, if it is signed with *secret*."""

    secret: str = ""
    seen: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        signed = environ["HTTP_X_UGC_TIMESTAMP"].encode() + b"." + body
        expected = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, environ["HTTP_X_UGC_SIGNATURE"]):
            start("401 Unauthorized", [])
            return [b""]
        event = json.loads(body)
        self.seen[event["id"]] = event["type"]
        start("204 No Content", [])
        return [b""]
