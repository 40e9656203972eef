"""A server that is not ours: the kit passes what it can be right about, and fails it for the rest.

Prism answers with the examples of our own OpenAPI files and keeps no state.
"""

from __future__ import annotations

import shutil

import pytest
from tools.prism_report import PAGE, page, results

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.verify import Result

pytestmark = [
    pytest.mark.npm,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Prism comes from npm"),
]

KEPT, BROKEN, NOT_JUDGED = RuleVerdict.KEPT, RuleVerdict.BROKEN, RuleVerdict.NOT_JUDGED


@pytest.fixture(scope="module")
def found() -> dict[str, Result]:
    return results()


@pytest.mark.parametrize(
    ("provider", "rule", "verdict", "why"),
    [
        ("ozor", "shape.listVideos", KEPT, ""),
        ("ozor", "shape.getJob", KEPT, ""),
        ("ozor", "shape.generateVideo", BROKEN, "detail: expected a value, got nothing"),
        ("ozor", "life.agent_job.ends", BROKEN, "it was still running after"),
        ("ozor", "auth.listVideos.unknown", BROKEN, "an unknown credential was answered 200"),
        ("ozor", "own.getVideo.unknown", BROKEN, "an unknown id was answered 200"),
        ("ozor", "own.listVideos.hidden", BROKEN, "belongs to another account"),
        ("ozor", "shape.generatePlan", BROKEN, ""),
        ("ozor", "money.generateVideo.price", NOT_JUDGED, ""),
        ("ozor", "url.download.lives", NOT_JUDGED, ""),
        ("znapai", "shape.getVideo", KEPT, ""),
        ("znapai", "shape.listVideos", KEPT, ""),
        ("znapai", "life.video.ends", BROKEN, "it was still"),
        ("znapai", "life.video.echoes", BROKEN, "asked for"),
        ("znapai", "content.video.early", BROKEN, "an unfinished video: answered 200"),
        ("znapai", "auth.listVideos.missing", KEPT, ""),
        ("znapai", "auth.listVideos.unknown", BROKEN, "instead of 401"),
        ("znapai", "own.getVideo.unknown", BROKEN, "an unknown id was answered 200"),
    ],
)
def test_verdict_is_what_a_server_without_state_deserves(
    found: dict[str, Result], provider: str, rule: str, verdict: RuleVerdict, why: str
) -> None:
    judge = found[provider].judge

    detail = next((it.summary for it in judge.findings if it.rule.id == rule), "")

    assert judge.verdict(rule) is verdict, detail
    assert why in detail


def test_written_page_says_what_was_found(found: dict[str, Result]) -> None:
    """`make test-prism` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page(found)
