"""A fake of UlazAI on Flask: right, it is not accused; with a defect, it is."""

from __future__ import annotations

import pytest

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
