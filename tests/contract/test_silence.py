"""At a foreign server a rule breaks only by what the provider's document says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from screentest.contract_tests.monitors.shapes import Shapes
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge, Rule, RuleVerdict, Silence
from screentest.contract_tests.rules.known import cites_violation, silence_of
from screentest.contract_tests.rules.rule_ids import RuleId, own
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.traces.trace import Exchange
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

_RULE = RuleId("example.refused.1")
_SILENCE = Silence(frozenset({"ZN-063"}), frozenset({"listVideos"}))


def _exchange(operation: str) -> Exchange:
    return Exchange(
        1, 0, "owner", "k", operation, "GET", "/", "", {}, b"", None, 404, {}, b"", None
    )


def _judge(*clauses: str, silence: Silence | None = _SILENCE) -> Judge:
    return Judge({_RULE: Rule(_RULE, "STA", "a rule", clauses)}, silence=silence)


@pytest.mark.parametrize(
    ("clauses", "operation", "verdict"),
    [
        (("ZN-004",), "getVideo", RuleVerdict.BROKEN),
        (("ZN-063", "ZN-004"), "getVideo", RuleVerdict.BROKEN),
        (("ZN-063",), "getVideo", RuleVerdict.DIFFERS),
        (("Z19",), "getVideo", RuleVerdict.DIFFERS),
        (("ZN-004",), "listVideos", RuleVerdict.DIFFERS),
    ],
)
def test_a_rule_breaks_where_a_sentence_of_the_document_demands_it(
    clauses: tuple[str, ...], operation: str, verdict: RuleVerdict
) -> None:
    judge = _judge(*clauses)

    judge.check(_RULE, "it was answered 404", _exchange(operation), holds=False)

    assert judge.verdict(_RULE) is verdict


def test_what_a_caller_knows_to_be_undocumented_differs() -> None:
    judge = _judge("ZN-004")

    judge.check(_RULE, "", _exchange("getVideo"), holds=False, is_documented=False)

    assert judge.verdict(_RULE) is RuleVerdict.DIFFERS


def test_our_own_mock_is_held_to_every_rule() -> None:
    judge = _judge("Z19", silence=None)

    judge.check(_RULE, "", _exchange("listVideos"), holds=False, is_documented=False)

    assert judge.verdict(_RULE) is RuleVerdict.BROKEN


def test_znapais_page_says_nothing_of_lists_deletions_and_remixes() -> None:
    contract = load_contract("znapai")

    silence = silence_of(contract, load_checks(contract))

    assert silence.operations == {"listVideos", "deleteVideo", "remixVideo"}
    assert {"ZN-055", "ZN-056"} & silence.clauses == {"ZN-056"}


@pytest.mark.parametrize(
    ("provider", "rule", "is_silent"),
    [
        # The page names no status of a refusal, and says whose jobs a caller is shown.
        ("oshara", "own.getVideoJob.unknown", False),
        ("oshara", "own.getVideoJob.foreign", False),
        ("oshara", "route.method", True),
        ("oshara", "example.refused.8", True),
        # The document says that image URLs are short-lived and new with each read.
        ("ozor", "url.scene_image.lives", True),
        ("ozor", "url.scene_image.fresh", False),
        ("ozor", "url.scene_image.works", False),
        ("ozor", "url.download.lives", False),
    ],
)
def test_a_document_is_silent_about_what_is_inferred(
    provider: str, rule: str, *, is_silent: bool
) -> None:
    contract = load_contract(provider)
    checks = load_checks(contract)

    assert silence_of(contract, checks).covers(rules_of(contract, checks)[rule], ()) is is_silent


def test_another_refusal_of_an_unknown_job_differs_at_oshara() -> None:
    contract = load_contract("oshara")
    checks = load_checks(contract)
    session = Session(
        InProcessTarget(make_app(contract), contract),
        contract,
        checks,
        Judge(rules_of(contract, checks), silence=silence_of(contract, checks)),
    )

    def judged(status: int) -> RuleVerdict:
        rule = own("getVideoJob", "unknown")
        answer = replace(_exchange("getVideoJob"), status=status)
        session.judge_refusal(rule, "an unknown id", answer, reason="not_found", wanted=[404])
        return session.judge.verdict(rule)

    assert [judged(400), judged(200)] == [RuleVerdict.DIFFERS, RuleVerdict.BROKEN]


@pytest.mark.parametrize(
    ("pointer", "keyword", "is_cited"),
    [
        ("/quality", "enum", True),
        ("/aspect_ratio", "enum", True),
        # L13 has a reading under which any address is accepted.
        ("/image_url", "pattern", False),
        ("/image_url", "required", True),
    ],
)
def test_a_clause_beside_an_interpretation_with_other_readings_does_not_decide(
    pointer: str, keyword: str, *, is_cited: bool
) -> None:
    violation = Violation("body", pointer, keyword, "a value", "another")

    found = cites_violation(load_contract("ulazai"), "generateImageToVideo", violation)

    assert found is is_cited


@pytest.mark.parametrize(
    ("operation", "pointer", "limit", "actual", "is_cited"),
    [
        ("generateVideo", "/export", "boolean", "integer 1", False),
        ("generateVideo", "/export", "boolean", "string 'yes'", False),
        ("generateVideo", "/export", "boolean", "string 'sometimes'", True),
        ("generateVideo", "/export", "boolean", "array", True),
        ("generateVideo", "/prompt", "string", "integer 5", False),
        ("updatePlan", "/voiceSettings/speakingRate", ["number"], "string '1'", False),
        ("updatePlan", "/voiceSettings/speakingRate", ["number"], "string 'fast'", True),
    ],
)
def test_a_scalar_that_frameworks_convert_need_not_be_refused(
    operation: str, pointer: str, limit: Json, actual: str, *, is_cited: bool
) -> None:
    violation = Violation("body", pointer, "type", str(limit), actual, limit)

    assert cites_violation(load_contract("ozor"), operation, violation) is is_cited


def test_a_clause_about_the_type_of_a_field_decides() -> None:
    violation = Violation("body", "/seconds", "type", "string", "integer 4", "string")

    assert cites_violation(load_contract("znapai"), "createVideo", violation)


def _shape_of(provider: str, operation: str, status: int, reply: Json) -> RuleVerdict:
    """The verdict on the shape of one answer of a foreign server."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    judge = Judge(rules_of(contract, checks), silence=silence_of(contract, checks))
    answer = replace(
        _exchange(operation),
        method=contract.operations[operation].method.upper(),
        status=status,
        headers={"content-type": "application/json"},
        reply=reply,
    )
    Shapes(contract, checks, judge, is_open=True).see(answer)
    return judge.verdict(f"shape.{operation}")


_VIDEO = {
    "id": "video_1",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1_767_225_600,
    "completed_at": None,
    "expires_at": None,
    "error": None,
    "prompt": "A red kite",
    "remixed_from_video_id": None,
    "seconds": "4",
    "size": "720x1280",
}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, RuleVerdict.DIFFERS),  # Other ids than OpenAI's: their form is inferred.
        ({"id": 1}, RuleVerdict.BROKEN),
        ({"size": "1920x1080"}, RuleVerdict.BROKEN),
    ],
)
def test_what_the_contract_infers_about_a_field_breaks_no_rule(
    changed: dict[str, Json], verdict: RuleVerdict
) -> None:
    assert _shape_of("znapai", "getVideo", 200, {**_VIDEO, **changed}) is verdict


_EXPORTED = {
    "videoId": "k3v9x2m7q4ab",
    "title": "A lamp",
    "status": "rendering",
    "editorUrl": "https://ozor.ai/editor?projectId=k3v9x2m7q4ab",
    "createdAt": "2026-04-20T10:30:00Z",
    "exportId": "exp_x8k2m4q7w1",
    "exportError": None,
}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("processing", RuleVerdict.DIFFERS), ("complete", RuleVerdict.BROKEN)],
)
def test_a_field_without_a_value_that_is_left_out_differs_where_its_null_is_inferred(
    status: str, verdict: RuleVerdict
) -> None:
    shown = {**_EXPORTED, "exportStatus": status}

    assert _shape_of("ozor", "getVideo", 200, shown) is verdict


@pytest.mark.parametrize(
    ("provider", "operation", "status", "verdict"),
    [
        # The page of Oshara describes no error; Ozor's says that each has a `detail`.
        ("oshara", "getVideoJob", 401, RuleVerdict.DIFFERS),
        ("ozor", "getVideo", 401, RuleVerdict.BROKEN),
        ("oshara", "getVideoJob", 409, RuleVerdict.DIFFERS),
        ("oshara", "getVideoJob", 501, RuleVerdict.BROKEN),
    ],
)
def test_a_refusal_looks_as_the_document_says_where_it_says_so(
    provider: str, operation: str, status: int, verdict: RuleVerdict
) -> None:
    assert _shape_of(provider, operation, status, {"error": "no"}) is verdict


@pytest.mark.parametrize(
    ("total", "verdict"),
    [(4, RuleVerdict.KEPT), (5, RuleVerdict.KEPT), (3, RuleVerdict.BROKEN)],
)
def test_a_total_of_statistics_may_count_more_than_its_parts(
    total: int, verdict: RuleVerdict
) -> None:
    contract = load_contract("oshara")
    checks = load_checks(contract)
    judge = Judge(rules_of(contract, checks), silence=silence_of(contract, checks))
    reply = {"total": total, "completed": 2, "failed": 1, "pending": 1}
    answer = replace(_exchange("getVideoJobStats"), status=200, reply=reply)

    Shapes(contract, checks, judge, is_open=True).see(answer)

    assert judge.verdict("example.relation.1") is verdict


def test_every_scenario_in_which_a_rule_is_wrong_is_judged_again() -> None:
    judge = _judge("ZN-004")

    for number in range(20):
        judge.scenario = f"scenario {number}"
        judge.check(_RULE, "", _exchange("getVideo"), holds=number == 7)

    assert len(judge.wrong_in) == 19
    assert "scenario 19" in judge.wrong_in
