"""Parts of a file: which bytes each Range header gives, and which it does not."""

from __future__ import annotations

import pytest

from screentest.mock_server.media.ranges import part_of

CONTENT = bytes(range(10))
TAG = part_of(CONTENT, {}).headers["ETag"]


def asked(value: str, **others: str) -> tuple[int, bytes, str | None]:
    headers = {"range": value, **{name.replace("_", "-"): it for name, it in others.items()}}
    part = part_of(CONTENT, headers)
    return part.status, part.content, part.headers.get("Content-Range")


def test_whole_file_says_that_parts_can_be_asked_for() -> None:
    part = part_of(CONTENT, {})

    assert (part.status, part.content) == (200, CONTENT)
    assert part.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("value", "content", "content_range"),
    [
        ("bytes=0-0", b"\x00", "bytes 0-0/10"),
        ("bytes=2-4", b"\x02\x03\x04", "bytes 2-4/10"),
        ("bytes=8-", b"\x08\x09", "bytes 8-9/10"),
        ("bytes=8-99", b"\x08\x09", "bytes 8-9/10"),
        ("bytes=-3", b"\x07\x08\x09", "bytes 7-9/10"),
        ("bytes=-99", CONTENT, "bytes 0-9/10"),
        ("Bytes=0-1", b"\x00\x01", "bytes 0-1/10"),
    ],
)
def test_one_range_gives_that_part(value: str, content: bytes, content_range: str) -> None:
    assert asked(value) == (206, content, content_range)


@pytest.mark.parametrize("value", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_range_outside_the_file_is_refused(value: str) -> None:
    assert asked(value) == (416, b"", "bytes */10")


@pytest.mark.parametrize(
    "value", ["", "bytes=", "bytes=-", "bytes=4-2", "items=0-1", "bytes=a-b", "bytes=0-1,4-5"]
)
def test_header_that_names_no_single_range_is_ignored(value: str) -> None:
    assert asked(value) == (200, CONTENT, None)


def test_range_of_another_version_gives_the_whole_file() -> None:
    assert asked("bytes=0-1", if_range='"old"') == (200, CONTENT, None)
    assert asked("bytes=0-1", if_range=TAG) == (206, b"\x00\x01", "bytes 0-1/10")


@pytest.mark.parametrize("known", [TAG, f'"old", {TAG}', f"W/{TAG}", "*"])
def test_known_file_is_not_sent_again(known: str) -> None:
    part = part_of(CONTENT, {"if-none-match": known})

    assert (part.status, part.content, part.headers["ETag"]) == (304, b"", TAG)


def test_unknown_version_is_sent() -> None:
    assert part_of(CONTENT, {"if-none-match": '"old"'}).status == 200
