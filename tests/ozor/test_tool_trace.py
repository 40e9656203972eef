"""The trace of the agent's tools in a conversation."""

from __future__ import annotations

from datetime import datetime

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.fixture
def conversation(ozor: Account) -> tuple[str, str]:
    """(video, conversation) of a generation and two finished edits; has cost 3 credits."""
    submitted = steps.generate(ozor)
    steps.finish_job(ozor, submitted)
    for message in ("Make it slower", "Add a logo"):
        steps.edit(ozor, submitted["videoId"], message=message)
    return submitted["videoId"], steps.conversation(ozor, submitted)


def trace(account: Account, conversation: tuple[str, str]) -> Json:
    return steps.accepted(account.client.get(steps.trace_path(*conversation)))


@pytest.mark.clause("OZ-147")
def test_trace_has_its_five_fields(ozor: Account, conversation: tuple[str, str]) -> None:
    found = trace(ozor, conversation)

    assert set(found) == {
        "videoId",
        "conversationId",
        "totalAssistantTurns",
        "totalToolCalls",
        "messages",
    }
    assert (found["videoId"], found["conversationId"]) == conversation


@pytest.mark.clause("OZ-147")
def test_generation_and_edits_are_turns_of_one_conversation(
    ozor: Account, conversation: tuple[str, str]
) -> None:
    assert trace(ozor, conversation)["totalAssistantTurns"] == 3


@pytest.mark.clause("OZ-148")
def test_messages_are_in_order_of_time(ozor: Account, conversation: tuple[str, str]) -> None:
    times = [
        datetime.fromisoformat(message["createdAt"])
        for message in trace(ozor, conversation)["messages"]
    ]

    assert len(times) == 3
    assert times == sorted(times)
    assert times[0] < times[-1]


@pytest.mark.clause("OZ-149", "OZ-150")
def test_messages_and_calls_have_their_fields(ozor: Account, conversation: tuple[str, str]) -> None:
    messages = trace(ozor, conversation)["messages"]

    for message in messages:
        assert set(message) == {"messageId", "createdAt", "textPreview", "toolCalls"}
        for call in message["toolCalls"]:
            assert set(call) == {"name", "args"}
            assert isinstance(call["name"], str)
            assert isinstance(call["args"], dict)
    assert len({message["messageId"] for message in messages}) == len(messages)


@pytest.mark.clause("OZ-151")
def test_total_is_the_number_of_listed_calls(ozor: Account, conversation: tuple[str, str]) -> None:
    found = trace(ozor, conversation)

    listed = sum(len(message["toolCalls"]) for message in found["messages"])

    assert found["totalToolCalls"] == listed > 0


@pytest.mark.clause("OZ-152")
def test_reading_a_trace_changes_nothing(ozor: Account, conversation: tuple[str, str]) -> None:
    before = steps.video(ozor, conversation[0]), ozor.ledger(), steps.job_count(ozor.world)
    first = trace(ozor, conversation)

    second = trace(ozor, conversation)

    after = steps.video(ozor, conversation[0]), ozor.ledger(), steps.job_count(ozor.world)
    assert second == first
    assert after == before


@pytest.mark.clause("OZ-152")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_trace_cannot_be_written(ozor: Account, conversation: tuple[str, str], method: str) -> None:
    answer = ozor.client.request(method, steps.trace_path(*conversation), json={})

    assert answer.status == 405
    assert answer.headers["allow"].startswith("GET")


@pytest.mark.clause("OZ-153")
def test_unknown_video_and_unknown_conversation_are_404(
    ozor: Account, conversation: tuple[str, str]
) -> None:
    video_id, conversation_id = conversation

    no_video = ozor.client.get(steps.trace_path(steps.NO_VIDEO, conversation_id))
    no_conversation = ozor.client.get(steps.trace_path(video_id, steps.NO_CONVERSATION))

    assert steps.refusal(no_video) == (404, "not_found")
    assert steps.refusal(no_conversation) == (404, "not_found")


@pytest.mark.clause("OZ-153")
def test_conversation_of_another_video_is_404(ozor: Account, conversation: tuple[str, str]) -> None:
    other = steps.make_video(ozor)

    answer = ozor.client.get(steps.trace_path(other, conversation[1]))

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-153")
def test_trace_of_a_foreign_video_is_403(
    neighbour: Account, ozor: Account, conversation: tuple[str, str]
) -> None:
    answer = neighbour.client.get(steps.trace_path(*conversation))

    assert steps.refusal(answer) == (403, "ownership")


@pytest.mark.clause("OZ-147", "OZ-148")
def test_turn_shows_when_its_job_has_ended(ozor: Account) -> None:
    """While the agent works it has said nothing yet."""
    submitted = steps.generate(ozor)
    place = submitted["videoId"], steps.conversation(ozor, submitted)

    while_running = trace(ozor, place)
    steps.finish_job(ozor, submitted)

    assert while_running["totalAssistantTurns"] == 0
    assert trace(ozor, place)["totalAssistantTurns"] == 1
