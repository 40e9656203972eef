"""The profile of a fake: a mock that follows it has the same one."""

from __future__ import annotations

from pathlib import Path

from screentest.contract_tests.report.drift import drift
from screentest.specs.contracts.profile import read_profile
from tests.live_mock import serving

from .judging import SPEED, judged, started


def test_a_mock_that_follows_the_profile_of_a_fake_has_that_profile(tmp_path: Path) -> None:
    of_fake, of_mock = tmp_path / "fake.json", tmp_path / "mock.json"
    with started("ulazai_flask.py", "shows_more") as url:
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
