"""A fake of ZnapAI on Express: right, it is not accused; with a defect, it is."""

from __future__ import annotations

import pytest

from .judging import judged, started, text_of

_PROGRAM = "znapai_express.mjs"
#: The mistakes that `znapai_express.mjs` makes on demand, and a rule that each breaks.
_DEFECTS = {
    "accepts_seconds_as_number": "example.refused.2",
    "accepts_any_size": "example.refused.4",
    "ignores_duration": "example.refused.3",
    "any_model": "example.refused.6",
    "prompt_is_optional": "example.refused.8",
    "progress_falls": "life.video.progress",
    "completed_is_called_done": "life.video.edges",
    "answers_seconds_as_number": "shape.getVideo",
    "created_at_moves": "life.video.constant",
    "content_has_one_size": "media.video.size",
    "content_is_early": "content.video.early",
    "any_key_works": "auth.getVideo.unknown",
}


def test_a_right_server_is_not_accused() -> None:
    with started(_PROGRAM, "") as url:
        result = judged("znapai", url)

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize(("defect", "rule"), _DEFECTS.items())
def test_a_defect_is_found(defect: str, rule: str) -> None:
    with started(_PROGRAM, defect) as url:
        result = judged("znapai", url)

    assert rule in {it.rule.id for it in result.judge.broken_rules}, text_of(result)
