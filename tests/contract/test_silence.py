"""At a foreign server a rule breaks only by what the provider's document says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

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
