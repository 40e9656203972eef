"""Secrets are cut before anything is kept. The examples are made here; none is committed."""

from __future__ import annotations

import json
import secrets

import pytest

from screentest.specs.contracts.redaction import BY_SHAPE, cut, looks_live

cut_headers, cut_query = BY_SHAPE.cut_headers, BY_SHAPE.cut_query
cut_shapes, cut_text = BY_SHAPE.cut_shapes, BY_SHAPE.cut_text


def _key(prefix: str, length: int = 32) -> str:
    return prefix + secrets.token_hex(length)[:length]


@pytest.mark.parametrize(
    "prefix", ["sk_live_", "ugc_live_", "ulazai_live_", "rk_test_", "sk-", "whsec_", "AIza", "ghp_"]
)
def test_key_is_redacted_at_any_place(prefix: str) -> None:
    key = _key(prefix)

    for text in (key, f"my key is {key}, keep it", f'{{"prompt": "use {key}"}}', f"a={key}&b=1"):
        assert key not in cut_text(text)
    assert key not in cut_query(f"x=1&note={key}")
    assert looks_live(key)


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "cookie", "x-session-token"])
def test_header_that_carries_credentials_is_cut_whatever_is_in_it(header: str) -> None:
    value = f"Bearer {secrets.token_urlsafe(12)}"

    kept = cut_headers({header: value})[header]

    assert value.partition(" ")[2] not in kept
    assert kept.startswith("Bearer ")


@pytest.mark.parametrize("field", ["password", "access_token", "client_secret", "rawKey", "apiKey"])
def test_field_with_a_telling_name_is_cut(field: str) -> None:
    secret = secrets.token_urlsafe(9)

    kept = cut_text(f'{{"{field}": "{secret}", "prompt": "A lamp"}}')

    assert secret not in kept
    assert '"prompt": "A lamp"' in kept


def test_redacted_secrets_stay_distinguishable() -> None:
    first, second = _key("sk_live_"), _key("sk_live_")

    assert cut(first) != cut(second)
    assert cut(first) == cut(first)
    assert len(cut(first)) == 15


@pytest.mark.parametrize("end", ["", 'a "', "a\\", "%22", "%5C%22", "\n-----END PRIVATE KEY-----"])
def test_json_is_still_json_after_the_cut(end: str) -> None:
    """A pasted key may be incomplete, or end in another field."""
    pasted = f"-----BEGIN PRIVATE {'KEY'}-----\nMIIEvQ+/={end}"
    document = {"a": pasted, "b": 'a "lamp" -----END PRIVATE KEY-----', "c": f"%2F{pasted}"}

    kept = json.loads(cut_shapes(json.dumps(document)))

    assert kept.keys() == document.keys()
    assert "MIIEvQ" not in json.dumps(kept)


def test_ordinary_text_is_left_alone() -> None:
    text = "A 20-second ad for a minimalist desk lamp, price 4.50, see https://example.com/lamp?x=1"

    assert cut_text(text) == text
