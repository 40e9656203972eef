"""JSON bodies are read strictly: what is not quite JSON never gets any further."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentest.mock_server.kernel.bodies import BodyError, read_json


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": ', "line 1"),
        (b"", "line 1"),
        (b'{"a": NaN}', "line 1"),
        (b'{"a": Infinity}', "line 1"),
        (b'{"a": 1e999}', "infinity"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\\u0000"}', "U\\+0000"),
        (b'{"\\u0000": 1}', "U\\+0000"),
        (b'{"a": 1, "a": 2}', "'a' is repeated in one object"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' is repeated in one object"),
        (b'{"a"\n:1,"a"\t: 2}', "'a' is repeated in one object"),
        (b"[" * 66 + b"]" * 66, "deeper than 64"),
        (b"[" * 5_000, "depth"),
        (b"\xef\xbb\xbf{}", "line 1"),
    ],
)
def test_body_that_is_not_quite_json_is_refused_with_the_reason(body: bytes, detail: str) -> None:
    with pytest.raises(BodyError, match=detail):
        read_json(body)


def test_nesting_of_64_still_passes() -> None:
    assert read_json(b"[" * 64 + b"]" * 64) is not None


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_whatever_json_writes_is_read_back(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing else comes out: no other exception, whatever was sent."""
    with suppress(BodyError):
        json.dumps(read_json(body))
