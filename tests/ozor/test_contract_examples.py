"""The error and stream examples of the OpenAPI file are what the mock answers, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, Client, File
from . import steps

JSON = "application/json"

#: Ids differ from run to run; everything else of a text must be equal.
_ID = re.compile(r"\b(?:plan_|job_|conv_)?(?:[A-Za-z0-9]*[0-9][A-Za-z0-9]*|z{3,})\b")


def plain(text: str) -> str:
    """*text* with a placeholder for each id, and without the break that YAML folds into a blank."""
    words = (_ID.sub("ID", word) if len(word) >= 8 else word for word in text.split(" "))
    return " ".join(words)


def examples(value: Json, field: str) -> Iterator[str]:
    """The text *field* of every named example below *value*."""
    if isinstance(value, dict):
        named = value.get("examples")
        for it in named.values() if isinstance(named, dict) else ():
            shown = it.get("value") if isinstance(it, dict) else None
            if isinstance(shown, dict) and field in shown:
                yield shown[field]
        for it in value.values():
            yield from examples(it, field)
    elif isinstance(value, list):
        for it in value:
            yield from examples(it, field)


def said(account: Account, neighbour: Account) -> Iterator[str]:
    """The detail of one refusal of each kind."""
    api, session = account.client, steps.firebase(account)
    videos, plans = steps.VIDEOS, "/api/v1/documents/plans"
    theirs, their_plan = steps.generate(neighbour)["videoId"], steps.analyze(neighbour)["planId"]
    submitted = steps.generate(account)
    video = f"{videos}/{submitted['videoId']}"
    answers = [
        api.post(f"{video}/export"),
        session.post(steps.KEYS, json={}),
        session.post(steps.KEYS, json={"name": "x" * 65}),
        session.delete(f"{steps.KEYS}/{steps.NO_KEY}"),
        api.post(steps.GENERATE, json={}),
        api.post(steps.GENERATE, json={"prompt": "A lamp", "aspect": "1:1"}),
        api.post(steps.GENERATE, raw=b'{"prompt": "A lamp', headers={"Content-Type": JSON}),
        api.get(videos, query={"limit": 101}),
        api.post(f"{video}/export", json={"quality": "480p"}),
        api.post(f"{video}/message", json={"message": "x" * 2001}),
        api.post(f"{video}/message", json={"message": "Blue", "images": [{}]}),
        api.get(f"{video}/jobs/{steps.NO_JOB}"),
        api.get(f"{video}/conversations/{steps.NO_CONVERSATION}/tool-trace"),
        api.get(f"{videos}/{steps.NO_VIDEO}"),
        api.get(f"{videos}/{theirs}"),
        api.get(f"{plans}/{steps.NO_PLAN}"),
        api.get(f"{plans}/{their_plan}"),
        api.post(steps.ANALYZE, form={"prompt": "For newcomers"}),
        api.post(steps.ANALYZE, form={"file": steps.pdf(), "url": "https://example.org"}),
        api.post(steps.ANALYZE, form={"file": File("a.png", b"\x89PNG", "image/png")}),
        api.post(
            steps.ANALYZE,
            form={"file": File("a.pdf", steps.pdf_bytes(52_428_801), steps.PDF_TYPE)},
        ),
    ]
    steps.fault(account.world, "job_failure", "analyzeDocument", reason="the page did not answer")
    answers.append(api.post(steps.ANALYZE, form={"url": "https://example.org"}))
    steps.fault(account.world, "job_failure", "analyzeDocument")
    answers.append(api.post(steps.ANALYZE, form={"file": steps.pdf()}))
    plan_id = steps.analyze(account)["planId"]
    incomplete = {"order": 1, "sceneTitle": "One", "scenePrompt": "A card"}
    answers += [
        api.patch(f"{plans}/{plan_id}", json={"scenes": [incomplete]}),
        api.patch(f"{plans}/{plan_id}", json={"voiceSettings": {"speakingRate": 2.5}}),
    ]
    steps.finish_job(account, submitted)
    account.set_credits(2)
    answers.append(steps.generate_plan(account, plan_id))
    account.set_credits(3)
    steps.generate_plan(account, plan_id)
    answers += [api.patch(f"{plans}/{plan_id}", json={}), steps.generate_plan(account, plan_id)]
    account.set_credits(0)
    answers.append(api.post(steps.GENERATE, json={"prompt": "A lamp"}))
    token = account.further_keys()["bearer"]
    for _ in range(3):
        steps.create_key(account)
    answers.append(session.post(steps.KEYS, json={"name": "Sixth"}))
    anonymous, former = Client(api.wsgi, api.base), steps.list_keys(account)[0]
    account.world.advance(3_600_000)
    expired = Client(api.wsgi, api.base, {"Authorization": f"Bearer {token}"})
    answers += [anonymous.get(steps.KEYS), anonymous.get(videos), expired.get(steps.KEYS)]
    answers.append(steps.with_key(account, "sk_live_unknown").get(videos))
    steps.revoke_key(account, former["keyId"])
    answers.append(api.get(videos))
    for answer in answers:
        assert answer.status >= 400, answer.text
        yield answer.json()["detail"]


def test_error_examples_are_what_the_mock_says(ozor: Account, neighbour: Account) -> None:
    ozor.set_credits(100)
    answered = {plain(text) for text in said(ozor, neighbour)}

    shown = {plain(text) for text in examples(load_contract("ozor").document, "detail")}

    assert shown - answered == set()


@pytest.mark.clause("OZ-205")
def test_stream_examples_are_what_the_mock_sends(ozor: Account, plan_id: str) -> None:
    steps.fault(ozor.world, "job_failure", "generatePlan")
    failed = steps.generate_plan(ozor, plan_id).text
    done = steps.generate_plan(ozor, plan_id).text
    lines = {plain(line.removeprefix("data: ")) for line in (failed + done).split("\n")}

    shown = {plain(text) for text in examples(load_contract("ozor").document, "data")}

    assert shown - lines == set()
    assert len(shown) == 6
