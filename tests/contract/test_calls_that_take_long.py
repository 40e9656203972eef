"""A server may finish a job while the kit's call about the unfinished job is under way."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.verify import scenarios_of, verify
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract


@dataclass(slots=True)
class SlowDownloads(InProcessTarget):
    """A server that needs *download_ms* of its clock before it looks at a download."""

    download_ms: int = 0

    def send(self, wire: OutgoingRequest) -> Raw:
        if wire.path.endswith("/content"):
            self.wait(self.download_ms)
        return InProcessTarget.send(self, wire)


@pytest.mark.parametrize(
    ("scenario", "rule"),
    [("walk video", "content.video.early"), ("states of downloadVideo", "state.downloadVideo")],
)
@pytest.mark.parametrize(
    ("download_ms", "verdict"), [(0, RuleVerdict.KEPT), (600_000, RuleVerdict.NOT_JUDGED)]
)
def test_download_of_a_video_that_ended_meanwhile_is_not_judged_as_early(
    scenario: str, rule: str, download_ms: int, verdict: RuleVerdict
) -> None:
    contract = load_contract("znapai")
    checks, app = load_checks(contract), make_app(contract)
    chosen = [it for it in scenarios_of(contract, checks) if it.name == scenario]

    result = verify(
        contract,
        checks,
        lambda: SlowDownloads(app, contract, download_ms=download_ms),
        chosen,
    )

    assert (result.judge.verdict(rule), result.judge.findings) == (verdict, [])
