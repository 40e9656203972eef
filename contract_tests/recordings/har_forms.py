"""The form of a HAR file. All parts that the format makes optional may be missing."""

from __future__ import annotations

from ..traces.strict_json import Form

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_NUMBER = {"type": ["number", "null"]}
_PAIRS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "value": _MAYBE_TEXT},
    },
}

LOG = Form(
    {
        "type": "object",
        "required": ["log"],
        "properties": {
            "log": {
                "type": "object",
                "required": ["entries"],
                "properties": {"entries": {"type": "array"}},
            },
        },
    }
)

ENTRY = Form(
    {
        "type": "object",
        "required": ["request", "response"],
        "properties": {
            "startedDateTime": _MAYBE_TEXT,
            "time": {"type": ["number", "null"], "maximum": 86_400_000},
            "request": {
                "type": "object",
                "required": ["method", "url"],
                "properties": {
                    "method": _TEXT,
                    "url": _TEXT,
                    "headers": _PAIRS,
                    "bodySize": _MAYBE_NUMBER,
                    "postData": {
                        "type": ["object", "null"],
                        "properties": {
                            "text": _MAYBE_TEXT,
                            "mimeType": _MAYBE_TEXT,
                            "params": _PAIRS,
                        },
                    },
                },
            },
            "response": {
                "type": "object",
                "properties": {
                    "status": {"type": ["integer", "null"], "minimum": -1, "maximum": 999},
                    "headers": _PAIRS,
                    "bodySize": _MAYBE_NUMBER,
                    "content": {
                        "type": ["object", "null"],
                        "properties": {
                            "text": _MAYBE_TEXT,
                            "mimeType": _MAYBE_TEXT,
                            "size": _MAYBE_NUMBER,
                        },
                    },
                },
            },
        },
    }
)
