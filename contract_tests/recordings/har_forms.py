"""The form of a HAR file. All parts that the format makes optional may be missing or null."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from screentest.specs.json_types import Json


class Pair(Struct, frozen=True):
    """A header, or a field of a form."""

    name: str
    value: str | None = None


class PostData(Struct, frozen=True, rename="camel"):
    """The body of a request."""

    text: str | None = None
    mime_type: str | None = None
    params: tuple[Pair, ...] | None = None
    encoding: Json = None


class HarRequest(Struct, frozen=True, rename="camel"):
    """A request."""

    method: str
    url: str
    headers: tuple[Pair, ...] | None = None
    body_size: float | None = None
    post_data: PostData | None = None


class Content(Struct, frozen=True, rename="camel"):
    """The body of an answer."""

    text: str | None = None
    mime_type: str | None = None
    size: float | None = None
    encoding: Json = None


class HarResponse(Struct, frozen=True, rename="camel"):
    """An answer."""

    status: Annotated[int, Meta(ge=-1, le=999)] | None = None
    headers: tuple[Pair, ...] | None = None
    body_size: float | None = None
    content: Content | None = None
    from_cache: Json = field(default=None, name="_fromCache")


class HarEntry(Struct, frozen=True, rename="camel"):
    """A request and its answer."""

    request: HarRequest
    response: HarResponse
    started_date_time: str | None = None
    time: Annotated[float, Meta(le=86_400_000)] | None = None
    from_cache: Json = field(default=None, name="_fromCache")


class _Log(Struct, frozen=True):
    entries: list[Json]


class HarFile(Struct, frozen=True):
    """A whole file; its entries are read one by one."""

    log: _Log
