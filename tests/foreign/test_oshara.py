"""A fake of Oshara on `http.server`: right, it is not accused; with a defect, it is."""

from __future__ import annotations

import pytest

from .judging import MEDIA, SPEED, judged, serving, text_of
from .oshara_plain import DEFECTS, make_server

_MEDIA = {"video": (MEDIA / "1280x720-25fps-8s.mp4").read_bytes()}
_PATIENCE_MS = 4_000_000


def test_a_right_server_is_not_accused() -> None:
    with serving(make_server(_MEDIA, speed=SPEED)) as url:
        result = judged("oshara", url, patience_ms=_PATIENCE_MS)

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found(defect: str) -> None:
    with serving(make_server(_MEDIA, speed=SPEED, defect=defect)) as url:
        result = judged("oshara", url, patience_ms=_PATIENCE_MS)

    assert result.judge.broken_rules, text_of(result)
