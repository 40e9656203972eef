"""Fakes of Oshara on Django and ZnapAI on Express: no right one is accused, every wrong one is."""

from __future__ import annotations

import pytest

from .judging import judged, started, text_of

_PROGRAMS = {"oshara": "oshara_django.py", "znapai": "znapai_express.mjs"}
#: The mistakes that a program makes on demand, and a rule that each breaks.
_DEFECTS = {
    "oshara": {
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
    },
    "znapai": {
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
    },
}


@pytest.mark.parametrize("provider", _PROGRAMS)
def test_a_right_server_is_not_accused(provider: str) -> None:
    with started(_PROGRAMS[provider], "") as url:
        result = judged(provider, url)

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize(
    ("provider", "defect", "rule"),
    [(provider, *it) for provider, known in _DEFECTS.items() for it in known.items()],
)
def test_a_defect_is_found(provider: str, defect: str, rule: str) -> None:
    with started(_PROGRAMS[provider], defect) as url:
        result = judged(provider, url)

    assert rule in {it.rule.id for it in result.judge.broken_rules}, text_of(result)
