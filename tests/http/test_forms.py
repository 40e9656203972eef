"""Forms off the wire: no more is read than was announced, and less is said to be too little."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from screentest.mock_server.http.forms import read_form
from screentest.specs.behaviour.call_limits import Limits

from ..mock_client import File, multipart

LIMITS = Limits(json_bytes_max=1_000_000, upload_bytes_max=1_000_000, source="A29")
BODY, CONTENT_TYPE = multipart({"title": "A lamp", "file": File("lamp.jpg", b"\xff\xd8\xff")})


class Socket(io.BytesIO):
    """A connection that the client keeps open: it has what was sent, and then nothing comes."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "would wait for ever for the end of the connection"
        assert self.tell() + size <= len(self.getvalue()), "would wait for ever for more bytes"
        return super().read(size)


def environ(stream: io.BytesIO, **more: str) -> dict[str, Any]:
    return {"wsgi.input": stream, "CONTENT_TYPE": CONTENT_TYPE, **more}


def test_no_more_is_read_than_was_announced(tmp_path: Path) -> None:
    announced = environ(Socket(BODY), CONTENT_LENGTH=str(len(BODY)))

    form, problem = read_form(announced, tmp_path, LIMITS)

    assert problem is None
    assert form is not None
    assert form.keys() == {"title", "file"}


def test_chunked_form_is_read_to_its_end(tmp_path: Path) -> None:
    chunked = environ(io.BytesIO(BODY), HTTP_TRANSFER_ENCODING="chunked")

    form, problem = read_form(chunked, tmp_path, LIMITS)

    assert problem is None
    assert form is not None
    assert form["title"] == "A lamp"


def test_form_shorter_than_announced_is_malformed(tmp_path: Path) -> None:
    cut = environ(io.BytesIO(BODY[:100]), CONTENT_LENGTH=str(len(BODY)))

    form, problem = read_form(cut, tmp_path, LIMITS)

    assert form is None
    assert problem is not None
    assert problem.facts == {"problem": "the form ends before its announced length"}


def test_part_whose_name_cannot_be_read_is_malformed(tmp_path: Path) -> None:
    nameless = BODY.replace(b'name="title"', b"name=")
    sent = environ(io.BytesIO(nameless), CONTENT_LENGTH=str(len(nameless)))

    form, problem = read_form(sent, tmp_path, LIMITS)

    assert form is None
    assert problem is not None
    assert problem.facts == {"problem": "a part of the form has no name that can be read"}
