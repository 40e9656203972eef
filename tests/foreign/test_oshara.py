"""A fake of Oshara on Django: right, it is not accused; with a defect, it is."""

from __future__ import annotations

import pytest

from .judging import judged, started, text_of

_PROGRAM = "oshara_django.py"
#: The mistakes that `oshara_django.py` makes on demand, and a rule that each breaks.
_DEFECTS = {
    "title_is_optional": "example.refused.1",
    "any_file_is_an_avatar": "example.refused.4",
    "oldest_first": "list.listVideoJobs.order",
    "list_shows_all_accounts": "own.listVideoJobs.hidden",
    "other_account_reads": "own.getVideoJob.foreign",
    "total_leaves_pending_out": "example.relation.1",
    "url_without_expiry": "shape.getVideoJob",
    "updated_at_stays": "life.video_job.moves",
    "status_goes_back": "life.video_job.edges",
    "id_is_text": "shape.createVideoJob",
    "any_token_works": "auth.getVideoJob.unknown",
    "text_is_cut": "life.video_job.echoes",
}


def test_a_right_server_is_not_accused() -> None:
    with started(_PROGRAM, "") as url:
        result = judged("oshara", url)

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize(("defect", "rule"), _DEFECTS.items())
def test_a_defect_is_found(defect: str, rule: str) -> None:
    with started(_PROGRAM, defect) as url:
        result = judged("oshara", url)

    assert rule in {it.rule.id for it in result.judge.broken_rules}, text_of(result)
