"""Signed URLs open one path for as long as the contract says, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentest.mock_server.kernel.signing import Verdict, check_query, signed_query
from screentest.specs.behaviour.outputs import UrlRules

_NAMES = {
    "algorithm": "X-Alg",
    "date": "X-Date",
    "expires": "X-Expires",
    "nonce": "X-Nonce",
    "signature": "X-Signature",
}
_HOUR = UrlRules("download", "files/{id}.mp4", 3_600_000, "OZ-113", _NAMES)
_NOW_MS = 1_767_225_600_123
_SECRET = b"a secret of the world"


def _query(nonce: int = 1) -> dict[str, str]:
    return dict(parse_qsl(signed_query(_HOUR, "files/a.mp4", _SECRET, _NOW_MS, nonce)))


@pytest.mark.parametrize(
    ("after_ms", "verdict"),
    [
        (0, Verdict.VALID),
        (3_599_999, Verdict.VALID),
        (3_600_000, Verdict.EXPIRED),
        (10**12, Verdict.EXPIRED),
    ],
)
def test_url_lives_to_the_last_millisecond_and_no_longer(after_ms: int, verdict: Verdict) -> None:
    assert check_query(_HOUR, "files/a.mp4", _SECRET, _NOW_MS + after_ms, _query()) is verdict


def test_url_opens_no_other_path() -> None:
    assert check_query(_HOUR, "files/b.mp4", _SECRET, _NOW_MS, _query()) is Verdict.BAD


def test_secret_of_another_world_opens_nothing() -> None:
    assert check_query(_HOUR, "files/a.mp4", b"another", _NOW_MS, _query()) is Verdict.BAD


def test_two_signatures_of_one_instant_differ() -> None:
    assert _query(1)["X-Signature"] != _query(2)["X-Signature"]


@given(
    name=st.sampled_from(sorted(_NAMES.values())),
    place=st.integers(0, 200),
    character=st.characters(),
)
def test_any_changed_character_spoils_it(name: str, place: int, character: str) -> None:
    query = _query()
    value = query[name]
    changed = value[: place % len(value)] + character + value[place % len(value) + 1 :]
    if changed == value:
        return

    verdict = check_query(_HOUR, "files/a.mp4", _SECRET, _NOW_MS, {**query, name: changed})

    assert verdict is Verdict.BAD


@pytest.mark.parametrize("extra", [{"X-More": "1"}, {"response-content-type": "text/html"}])
def test_further_parameters_are_refused(extra: dict[str, str]) -> None:
    query = {**_query(), **extra}

    assert check_query(_HOUR, "files/a.mp4", _SECRET, _NOW_MS, query) is Verdict.BAD


@pytest.mark.parametrize("missing", sorted(_NAMES.values()))
def test_missing_parameter_is_refused(missing: str) -> None:
    query = {name: value for name, value in _query().items() if name != missing}

    assert check_query(_HOUR, "files/a.mp4", _SECRET, _NOW_MS, query) is Verdict.BAD


def test_permanent_url_has_no_query_and_never_ends() -> None:
    share = UrlRules("share", "share/{code}.mp4", None, "OZ-116")

    assert signed_query(share, "share/a.mp4", _SECRET, _NOW_MS, 1) == ""
    assert check_query(share, "share/a.mp4", _SECRET, 10**15, {}) is Verdict.VALID
