"""No fake is accused that is right by some reading of its document; with a mistake, it is."""

from __future__ import annotations

import pytest

from screentest.contract_tests.scenarios.verify import Result

from .judging import judged, started, text_of

#: The mistakes that each program makes on demand, and a rule that each breaks; none where the kit
#: does not notice it.
_DEFECTS = {
    "oshara_django.py": {
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
    "oshara_fastapi.py": {
        "no_token_needed": "auth.getVideoJob.missing",
        "completed_is_called_done": "life.video_job.ends",
        "url_is_early": "life.video_job.shown",
        "title_is_the_text": "life.video_job.echoes",
        "error_is_empty_text": "shape.createVideoJob",
        "created_at_moves": "life.video_job.constant",
        "any_avatar": "example.refused.4",
        "any_sound": "example.refused.5",
        "any_voice": "example.refused.6",
        "created_is_200": "shape.createVideoJob",
        "list_shows_three": "list.listVideoJobs.complete",
        "stats_of_all_accounts": "own.listVideoJobs.hidden",
    },
    "ozor_django.py": {
        "missing_key_is_403": "auth.getVideo.missing",
        "sixth_key_is_allowed": "",
        "analysis_is_free": "money.analyzeDocument.short",
        "both_sources_are_accepted": "example.refused.4",
        "any_file_type": "example.refused.5",
        "scenes_are_appended": "flow.scenes_of_a_plan",
        "share_code_has_six": "shape.getVideo",
        "private_export_is_shared": "flow.private_automatic_export",
        "always_720p": "flow.manual_exports",
        "limit_up_to_1000": "input.listVideos",
        "job_is_in_every_video": "flow.strangers_and_videos",
        "pct_starts_again": "stream.generatePlan.rising",
    },
    "ozor_fastapi.py": {
        "other_account_reads": "own.getVideo.foreign",
        "revoked_key_works": "auth.getVideo.revoked",
        "accepts_long_prompt": "input.generateVideo",
        "empty_account_works": "money.generateVideo.short",
        "oldest_first": "list.listVideos.order",
        "limit_is_ignored": "list.listVideos.limit",
        "complete_is_completed": "life.export.ends",
        "plan_cost_rounds_up": "example.relation.1",
        "identical_export_renders_again": "same.export",
        "raw_key_is_listed": "flow.key_from_creation_to_revocation",
        "generated_plan_can_be_edited": "state.updatePlan",
        "done_without_project": "",
    },
    "ugc_copilot_express.mjs": {
        "any_key_works": "auth.proxyStartVideoGeneration.unknown",
        "no_rate_limit": "",
        "no_concurrency_cap": "",
        "empty_account_renders": "",
        "hq_costs_as_standard": "",
        "any_engine": "example.refused.1",
        "any_ratio": "example.refused.2",
        "other_account_reads": "own.proxyCheckVideoStatus.foreign",
        "progress_falls": "life.render.progress",
        "no_uri": "life.render.shown",
        "key_is_ignored": "idem.replay",
        "error_is_text": "shape.proxyStartVideoGeneration",
    },
    "ugc_copilot_flask.py": {
        "missing_key_works": "auth.proxyStartVideoGeneration.missing",
        "key_of_all_accounts": "idem.scope",
        "no_square": "example.accepted.16",
        "no_hq": "example.accepted.2",
        "no_seedance": "example.accepted.9",
        "prompt_is_optional": "example.refused.4",
        "done_goes_back": "life.render.final",
        "names_repeat": "idem.other",
        "always_wide": "media.fetched_video.size",
        "other_account_fetches": "own.proxyFetchVideo.foreign",
        "refusals_are_200": "example.refused.1",
        "no_retry_after": "",
    },
    "ulazai_django.py": {
        "any_scheme_works": "auth.apiKey.others",
        "image_costs_more": "money.generateImageToVideo.price",
        "quality_costs": "money.generateTextToVideo.price",
        "no_square": "example.accepted.5",
        "any_ratio": "example.refused.2",
        "image_is_optional": "example.refused.5",
        "remaining_is_before": "money.generateTextToVideo.shown",
        "always_landscape": "media.task.size",
        "created_at_of_the_server": "",
        "success_is_completed": "life.task.ends",
        "eight_seconds": "shape.getTaskStatus",
        "no_thumbnail": "life.task.shown",
    },
    "ulazai_flask.py": {
        "accepts_any_quality": "example.refused.3",
        "starts_queued": "shape.getTaskStatus",
        "answers_200": "shape.generateTextToVideo",
        "progress_falls": "life.task.progress",
        "other_account_reads": "own.getTaskStatus.foreign",
        "accepts_long_prompt": "input.generateTextToVideo",
        "no_limit_of_ten": "cap.default",
        "charges_less_than_it_shows": "money.generateTextToVideo.shown",
        "created_at_moves": "life.task.constant",
        "no_discount": "money.generateTextToVideo.price",
        "missing_credits_are_403": "money.generateTextToVideo.short",
        "any_key_works": "auth.getTaskStatus.unknown",
    },
    "znapai_express.mjs": {
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
    "znapai_flask.py": {
        "missing_key_works": "auth.getVideo.missing",
        "model_is_optional": "input.createVideo",
        "accepts_ten_seconds": "example.refused.5",
        "no_tall_size": "example.accepted.2",
        "accepts_full_hd": "example.refused.4",
        "any_metadata": "example.refused.7",
        "metadata_is_refused": "example.accepted.8",
        "ids_repeat": "life.video.final",
        "falls_back_to_queued": "life.video.edges",
        "prompt_is_lost": "life.video.echoes",
        "shows_one_size": "life.video.echoes",
        "content_has_four_seconds": "media.video.size",
    },
}


#: What a user fixes after the first run, which reports this reading and finds no id in answers.
_READINGS = {"ugc_copilot_flask.py": {"ugc_copilot.callable_envelope": "result"}}


def _judged(program: str, defect: str) -> Result:
    with started(program, defect) as url:
        return judged(program.rpartition("_")[0], url, readings=_READINGS.get(program, {}))


@pytest.mark.parametrize("program", _DEFECTS)
def test_a_right_server_is_not_accused(program: str) -> None:
    result = _judged(program, "")

    assert not result.judge.broken_rules, text_of(result)


@pytest.mark.parametrize(
    ("program", "defect", "rule"),
    [(program, *it) for program, known in _DEFECTS.items() for it in known.items() if it[1]],
)
def test_a_defect_is_found(program: str, defect: str, rule: str) -> None:
    result = _judged(program, defect)

    assert rule in {it.rule.id for it in result.judge.broken_rules}, text_of(result)
