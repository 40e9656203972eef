"""Recorded traffic: nothing is found in a clean recording, and planted drift is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from screentest.contract_tests.recordings.recorded import (
    differences,
    judge_recording,
    read_recording,
    send_again,
)
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import Live
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.target import ANONYMOUS, Identity
from screentest.contract_tests.traces.trace import LackingPart, Trace
from screentest.contract_tests.traces.trace_file import trace_of, write_trace
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from .hands import PROVIDERS, recording, session_with
from .har_writer import read_har, write_har

#: Shows a key that this mock did not make.
UNKNOWN = Identity("anonymous", {"api_key": "ulazai_live_" + "0" * 32})
BASE = "https://provider.example.org/some/base"


def _har(provider: str, path: Path) -> Json:
    write_har(recording(provider), path, BASE)
    return json.loads(path.read_text())


def _findings(provider: str, path: Path) -> set[str]:
    return {
        it.rule.id for it in judge_recording(read_recording(path, provider).trace).judge.findings
    }


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_clean_recording_is_clean(provider: str, tmp_path: Path) -> None:
    path = tmp_path / "clean.har"
    _har(provider, path)

    trace = read_har(path, load_contract(provider)).trace

    assert len(trace.exchanges) > 3
    assert _findings(provider, path) == set()


def _edit_replies(har: Json, path_part: str, edit: Callable[[Json, int], None]) -> None:
    number = 0
    for entry in har["log"]["entries"]:
        if path_part in entry["request"]["url"]:
            body = json.loads(entry["response"]["content"]["text"])
            edit(body, number)
            entry["response"]["content"]["text"] = json.dumps(body)
            number += 1


def _unknown_field(body: Json, _: int) -> None:
    body["renderNode"] = "eu-3"


def _new_enum_value(body: Json, _: int) -> None:
    if body["status"] == "processing":
        body["status"] = "thinking"


def _illegal_transition(body: Json, number: int) -> None:
    if body["status"] == "completed":
        del body["response"]
        body["status"] = "processing"
    elif number == 0:
        body["status"] = "completed"
        body["response"] = "done"


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (_unknown_field, "shape.getJob"),
        (_new_enum_value, "shape.getJob"),
        (_illegal_transition, "life.agent_job.final"),
    ],
)
def test_planted_drift_is_found(
    edit: Callable[[Json, int], None], rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "drift.har"
    har = _har("ozor", path)
    _edit_replies(har, "/jobs/", edit)
    path.write_text(json.dumps(har))

    assert rule in _findings("ozor", path)


@pytest.mark.parametrize(("who", "is_judged"), [(ANONYMOUS, True), (UNKNOWN, False)])
def test_an_unknown_key_is_not_a_missing_one(who: Identity, *, is_judged: bool) -> None:
    session = session_with("ulazai")
    asked = session.call("getTaskStatus", ids={"task_id": "sra_2_0"}, who=who)
    trace = Trace("ulazai")
    trace.add(replace(asked, status=403))

    judged = {it.rule.id for it in judge_recording(trace).judge.findings}

    assert ("auth.getTaskStatus.missing" in judged) == is_judged


def test_an_undocumented_reply_is_reported_by_the_value_that_no_form_has(
    tmp_path: Path,
) -> None:
    path = tmp_path / "drift.har"
    har = _har("ulazai", path)
    _edit_replies(har, "/status/", lambda body, _: body["data"].update(status="done"))
    path.write_text(json.dumps(har))

    findings = judge_recording(read_recording(path, "ulazai").trace).judge.findings

    detail = [it.summary for it in findings if it.rule.id == "shape.getTaskStatus"]
    assert detail[0] == ("data.status: expected one of 'processing', 'success', got 'done'")


def test_a_changed_unit_of_time_is_found(tmp_path: Path) -> None:
    path = tmp_path / "drift.har"
    har = _har("znapai", path)

    def to_milliseconds(body: Json, _: int) -> None:
        body["created_at"] *= 1_000

    _edit_replies(har, "/v1/videos/video_", to_milliseconds)
    path.write_text(json.dumps(har))

    assert {"shape.getVideo", "life.video.constant"} <= _findings("znapai", path)


def test_a_trace_file_reads_back_as_it_was(tmp_path: Path) -> None:
    trace, path = recording("ozor"), tmp_path / "trace.ndjson"

    write_trace(trace, path)
    again = trace_of(path.read_text(), "trace", load_contract("ozor"))

    assert [it.line for it in again.exchanges] == [it.line for it in trace.exchanges]
    assert [it.reply for it in again.exchanges] == [it.reply for it in trace.exchanges]


def test_a_trace_file_keeps_when_the_pieces_of_a_stream_came(tmp_path: Path) -> None:
    session, path = session_with("ozor"), tmp_path / "trace.ndjson"
    stream = session.call("generatePlan", ids=session.resources.make("plan").ids)

    write_trace(session.trace, path)
    again = trace_of(path.read_text(), "trace", load_contract("ozor"))

    assert again.exchanges[-1].events == stream.events
    assert (stream.chunks, again.exchanges[-1].chunks) == (15, 15)
    assert judge_recording(again).judge.kept["stream.generatePlan.live"] == 1


def test_a_stream_that_came_at_the_end_is_found_in_a_trace_file(tmp_path: Path) -> None:
    session, path = session_with("ozor"), tmp_path / "trace.ndjson"
    stream = session.call("generatePlan", ids=session.resources.make("plan").ids)
    at_once = tuple(replace(it, at_ms=stream.ended_ms) for it in stream.events)
    session.trace.events[-1] = replace(stream, events=at_once, chunks=1)

    write_trace(session.trace, path)

    assert _findings("ozor", path) == {"stream.generatePlan.live"}


def test_a_line_that_was_cut_when_its_writer_was_killed_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(recording("ulazai"), path)
    whole = path.read_text()
    path.write_text(whole[:-40])

    kept = read_recording(path, "ulazai").trace

    assert len(kept.exchanges) == len(recording("ulazai").exchanges) - 1


def test_a_line_that_is_not_an_exchange_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    path.write_text('{"trace": 1, "provider": "ulazai"}\n{"method": "GET"}\n')

    with pytest.raises(ValueError, match="line 2: object missing required field `actor`"):
        read_recording(path, "ulazai")


def test_a_trace_of_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(Trace("ulazai"), path)

    with pytest.raises(ValueError, match="no call of ulazai is in it"):
        read_recording(path, "ulazai")


def test_what_a_trace_file_cuts_short_is_not_judged(tmp_path: Path) -> None:
    """A cut file has no findings, and half of an upload is not sent again."""
    session, path = session_with("ozor"), tmp_path / "trace.ndjson"
    session.resources.make("plan")
    made = session.trace.exchanges[0]
    long = replace(made, request_body=b"\xff" * 300_000, body=b"\xff" * 300_000)
    session.trace.events[0] = long
    write_trace(session.trace, path)

    again = read_recording(path, "ozor").trace

    assert again.exchanges[0].lacks == {LackingPart.SENT, LackingPart.BODY}
    assert judge_recording(again).judge.findings == []
    with pytest.raises(ValueError, match=r"exchange 1 \(POST .* was recorded without what was"):
        send_again(again, session.target, session.contract)


def test_a_clock_that_ran_fast_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(Trace("ulazai", time_scale=10.0), path)

    assert trace_of(path.read_text(), "trace", load_contract("ulazai")).time_scale == 10.0


def test_no_key_is_kept_in_a_recording(tmp_path: Path) -> None:
    session = session_with("ozor")
    made = session.call("createApiKey")
    key = made.reply["rawKey"]

    write_trace(session.trace, tmp_path / "trace.ndjson")
    write_har(session.trace, tmp_path / "trace.har", BASE)

    for name in ("trace.ndjson", "trace.har"):
        text = (tmp_path / name).read_text()
        assert "[redacted]" in text
        assert key not in text
        assert session.owner.keys["bearer"] not in text


def test_a_trace_of_another_provider_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    write_trace(Trace("ulazai"), path)

    with pytest.raises(ValueError, match=r"is a trace of 'ulazai', not 'ozor'"):
        read_recording(path, "ozor")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_recording_can_be_sent_again(provider: str) -> None:
    contract = load_contract(provider)
    again = send_again(
        recording(provider), InProcessTarget(make_app(contract), contract, 1), contract
    )

    assert list(differences(recording(provider), again)) == []


@pytest.mark.parametrize("actor", ["owner", "stranger", "anonymous", "unknown"])
def test_a_request_is_repeated_with_the_key_that_sent_it(actor: str) -> None:
    contract = load_contract("ulazai")
    session = session_with("ulazai")
    who = {
        "owner": session.owner,
        "stranger": session.stranger,
        "anonymous": ANONYMOUS,
        "unknown": _as_unknown(UNKNOWN),
    }[actor]
    made = session.resources.make("task")
    session.resources.read(made, who=who)

    again = send_again(session.trace, InProcessTarget(make_app(contract), contract, 1), contract)

    assert [it.actor for it in again.exchanges] == ["owner", actor]
    assert list(differences(session.trace, again)) == []


def _as_unknown(who: Identity) -> Identity:
    """*who*, with the label that a recording gives every caller."""
    return Identity("unknown", who.keys)


def test_a_second_account_needs_a_second_key() -> None:
    contract = load_contract("ulazai")
    session = session_with("ulazai")
    session.resources.read(session.resources.make("task"), who=session.stranger)
    alone = Live("http://127.0.0.1:9", Identity("owner", {"api_key": "k"}))
    trace = Trace("ulazai", [session.trace.exchanges[1]])

    with pytest.raises(ValueError, match="a second account is in the recording"):
        send_again(trace, alone, contract)
