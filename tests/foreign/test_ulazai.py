"""A fake of UlazAI on Flask: right, it is not accused; with a defect, it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Response

from screentest.contract_tests.report.drift import drift
from screentest.specs.contracts.profile import read_profile
from tests.live_mock import serving

from .judging import MEDIA, SPEED, judged, served, text_of
from .ulazai_flask import DEFECTS, make_app

_VIDEOS = {
    size: (MEDIA / f"{size}-24fps-10s.mp4").read_bytes()
    for size in ("1920x1080", "1080x1920", "1080x1080")
}
_MEDIA = {**_VIDEOS, "thumbnail": (MEDIA / "poster-640x360.jpg").read_bytes()}


def test_a_right_server_is_not_accused() -> None:
    with served(make_app(_MEDIA, speed=SPEED)) as url:
        result = judged("ulazai", url)

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found(defect: str) -> None:
    with served(make_app(_MEDIA, speed=SPEED, defect=defect)) as url:
        result = judged("ulazai", url)

    assert result.judge.broken_rules, text_of(result)


def _marked(response: Response) -> Response:
    """*response* with a field and a header that no document shows."""
    response.headers["X-RateLimit-Limit"] = "60"
    if response.is_json:
        response.set_data(json.dumps({**response.get_json(), "trace": "t-1"}))
    return response


def test_a_mock_that_follows_the_profile_of_a_fake_has_that_profile(tmp_path: Path) -> None:
    of_fake, of_mock = tmp_path / "fake.json", tmp_path / "mock.json"
    app = make_app(_MEDIA, speed=SPEED)
    app.after_request(_marked)
    with served(app) as url:
        judged("ulazai", url, reports=(("profile", of_fake),))
    with serving(tmp_path, "--profile", str(of_fake), "--clock", f"real:{SPEED:g}") as mock:

        def key(credits: int) -> str:
            body = {"provider": "ulazai", "credits": credits}
            made = mock.control("POST", "/worlds/default/accounts", body)
            return str(made["api_key"])

        judged(
            "ulazai",
            f"{mock.url}/ulazai",
            api_key=key(1_000_000),
            second_api_key=key(1_000_000),
            empty_api_key=key(0),
            is_live=True,
            reports=(("profile", of_mock),),
        )

    fake, followed = read_profile(of_fake), read_profile(of_mock)
    assert fake.readings["ulazai.image_to_video_status"] == "201"
    assert fake.readings["ulazai.error_form"] == "success_false"
    assert fake.extra_fields["getTaskStatus"]["200"] == {"/trace": "string"}
    assert fake.rate_headers["getTaskStatus"] == {"x-ratelimit-limit": (60, 60)}
    stay = fake.durations["generation"]["processing"]
    # It draws whole seconds from 120 to 179.
    assert 120_000 - stay.within_ms <= stay.least_ms <= stay.most_ms <= 179_000 + stay.within_ms
    assert followed.readings == fake.readings
    assert followed.extra_fields == fake.extra_fields
    assert [
        it for it in drift(of_fake, of_mock, "ulazai", tolerance=0.25) if "rate" not in it
    ] == []
