"""Texts of the formats of JSON Schema and OpenAPI, and of a length."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from random import Random
from uuid import UUID

#: A text of which nothing is known.
NO_WORDS = "string"
_WORDS = [
    "lamp",
    "river",
    "stone",
    "window",
    "paper",
    "garden",
    "cloud",
    "bridge",
    "candle",
    "forest",
    "mirror",
    "harbour",
]


def text_of_format(name: str, rng: Random) -> str | None:
    """A text of the format *name*; None if that format is not known."""
    make = _FORMATS.get(name)
    return make(rng) if make is not None else None


def text_of_length(least: int, most: int | None, rng: Random, *, is_random: bool) -> str:
    """A readable text of *least* to *most* characters; None means no end."""
    words = [rng.choice(_WORDS) for _ in range(3)] if is_random else [NO_WORDS]
    text = " ".join(words)
    while len(text) < least:
        text += f" {rng.choice(_WORDS)}"
    return text[: max(least, min(len(text), most if most is not None else len(text)))]


def _host(rng: Random) -> str:
    return f"{rng.choice(_WORDS)}.example"


def _instant(rng: Random) -> str:
    return f"{_date(rng)}T{_time(rng)}"


def _date(rng: Random) -> str:
    return f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _time(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


_FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date-time": _instant,
    "date": _date,
    "time": _time,
    "duration": lambda rng: f"PT{rng.randint(1, 90)}S",
    "uuid": lambda rng: str(UUID(int=rng.getrandbits(128), version=4)),
    "email": lambda rng: f"{rng.choice(_WORDS)}@{_host(rng)}",
    "idn-email": lambda rng: f"{rng.choice(_WORDS)}@{_host(rng)}",
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 9_999):x}",
    "uri": lambda rng: f"https://{_host(rng)}/{rng.choice(_WORDS)}",
    "uri-reference": lambda rng: f"/{rng.choice(_WORDS)}",
    "iri": lambda rng: f"https://{_host(rng)}/{rng.choice(_WORDS)}",
    "iri-reference": lambda rng: f"/{rng.choice(_WORDS)}",
    "uri-template": lambda rng: f"/{rng.choice(_WORDS)}/{{id}}",
    "url": lambda rng: f"https://{_host(rng)}/{rng.choice(_WORDS)}",
    "json-pointer": lambda rng: f"/{rng.choice(_WORDS)}",
    "relative-json-pointer": lambda rng: f"{rng.randint(0, 3)}/{rng.choice(_WORDS)}",
    "regex": lambda rng: f"^{rng.choice(_WORDS)}$",
    "byte": lambda rng: base64.b64encode(rng.choice(_WORDS).encode()).decode(),
}
