"""Servers that are not ours: what the kit keeps, breaks and leaves open at each of them.

`make test-servers` installs them from package registries; without it each is skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache

import pytest
from tools.server_reports import LITELLM, SERVERS, written

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.verify import Result

pytestmark = [
    pytest.mark.npm,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Prism and aimock come from npm"),
]

KEPT, BROKEN, NOT_JUDGED = RuleVerdict.KEPT, RuleVerdict.BROKEN, RuleVerdict.NOT_JUDGED
DIFFERS = RuleVerdict.DIFFERS


@cache
def found(server: str) -> Mapping[str, Result]:
    if server == "litellm" and not LITELLM.exists():
        pytest.skip("LiteLLM is not installed")
    return SERVERS[server].judge()


@pytest.mark.parametrize(
    ("server", "provider", "rule", "verdict", "why"),
    [
        ("prism", "ozor", "shape.listVideos", KEPT, ""),
        ("prism", "ozor", "shape.getJob", KEPT, ""),
        ("prism", "ozor", "shape.generateVideo", BROKEN, "detail: expected a value, got nothing"),
        ("prism", "ozor", "life.agent_job.ends", BROKEN, "it was still running after"),
        (
            "prism",
            "ozor",
            "auth.listVideos.unknown",
            BROKEN,
            "an unknown credential: answered 200 instead of 401",
        ),
        ("prism", "ozor", "own.getVideo.unknown", BROKEN, "an unknown id: answered 200"),
        ("prism", "ozor", "own.listVideos.hidden", BROKEN, "belongs to another account"),
        ("prism", "ozor", "shape.generatePlan", BROKEN, ""),
        ("prism", "ozor", "money.generateVideo.price", NOT_JUDGED, ""),
        ("prism", "ozor", "url.download.lives", NOT_JUDGED, ""),
        ("prism", "znapai", "shape.getVideo", KEPT, ""),
        ("prism", "znapai", "shape.listVideos", DIFFERS, ""),
        ("prism", "znapai", "life.video.ends", BROKEN, "it was still"),
        ("prism", "znapai", "life.video.echoes", BROKEN, "asked for"),
        ("prism", "znapai", "content.video.early", BROKEN, "answered 200 instead of 400"),
        ("prism", "znapai", "auth.listVideos.missing", KEPT, ""),
        ("prism", "znapai", "auth.getVideo.unknown", BROKEN, "instead of 401"),
        ("prism", "znapai", "auth.listVideos.unknown", DIFFERS, ""),
        ("prism", "znapai", "own.getVideo.unknown", DIFFERS, ""),
        ("prism", "znapai", "life.video.same", DIFFERS, ""),
        ("aimock", "znapai", "auth.getVideo.missing", KEPT, ""),
        ("aimock", "znapai", "auth.getVideo.unknown", KEPT, ""),
        ("aimock", "znapai", "own.getVideo.unknown", KEPT, ""),
        ("aimock", "znapai", "content.video.early", NOT_JUDGED, ""),
        ("aimock", "znapai", "media.video.container", BROKEN, "it was answered 404"),
        ("aimock", "znapai", "life.video.lasts", BROKEN, "completed in the answer that made it"),
        ("aimock", "znapai", "example.refused.4", BROKEN, "the size 1920x1080: answered 200"),
        ("aimock", "znapai", "shape.downloadVideo", DIFFERS, ""),
        ("litellm", "znapai", "life.video.ends", KEPT, ""),
        ("litellm", "znapai", "media.video.container", KEPT, ""),
        ("litellm", "znapai", "auth.getVideo.missing", BROKEN, "answered 500 instead of 401"),
        ("litellm", "znapai", "auth.getVideo.unknown", BROKEN, "answered 400 instead of 401"),
        ("litellm", "znapai", "content.video.early", KEPT, ""),
        ("litellm", "znapai", "shape.createVideo", BROKEN, "got text/plain"),
        ("litellm", "znapai", "example.refused.2", BROKEN, "answered 200 instead of 400"),
    ],
)
def test_verdict_is_what_the_server_deserves(
    server: str, provider: str, rule: str, verdict: RuleVerdict, why: str
) -> None:
    judge = found(server)[provider].judge

    detail = next((it.summary for it in judge.findings if it.rule.id == rule), "")

    assert judge.verdict(rule) is verdict, detail
    assert why in detail


def test_reading_of_the_gateway_is_found() -> None:
    readings = {it.name: it.value for it in found("litellm")["znapai"].readings}

    assert readings["znapai.video_ids"] == "proxy_base64"


@pytest.mark.parametrize("server", ["prism", "litellm"])
def test_page_is_what_a_fresh_run_writes(server: str) -> None:
    """One figure of aimock depends on whether a second passes between two creations."""
    page = SERVERS[server].page.read_text(encoding="utf-8")

    assert written(SERVERS[server], found(server)) == page
