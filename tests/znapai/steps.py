"""Small verbs of ZnapAI's users: create, poll, download, and reading a wrapped error.

Each asserts that it was accepted, and returns the decoded answer. Tests about refusals speak to
`account.client` themselves.
"""

from __future__ import annotations

import json as jsonlib

from screentest.mock_server.media.clips import StillKind, still
from screentest.specs.json_types import Json

from ..mock_client import SECOND_MS, Account, Answer

VIDEOS = "/v1/videos"
PROMPT = "A paper boat crosses a puddle"
LEAST: dict[str, Json] = {"model": "sora-2", "prompt": PROMPT}

#: An id of the documented form that no account owns.
NO_VIDEO = "video_00000000000000000000000000000000"

#: The thirteen documented fields of a video job.
FIELDS = {
    "id",
    "completed_at",
    "created_at",
    "error",
    "expires_at",
    "model",
    "object",
    "progress",
    "prompt",
    "remixed_from_video_id",
    "seconds",
    "size",
    "status",
}

PNG = still(StillKind.PAGE, 960, 540)
JPEG = still(StillKind.POSTER, 640, 360)
WEBP = still(StillKind.PREVIEW, 640, 360)

#: Five minutes of polls every two seconds: longer than the longest job.
POLL_EVERY_MS = 2 * SECOND_MS
POLLS_MAX = 150

_BEFORE = (
    "litellm.BadRequestError: litellm.ContentPolicyViolationError: "
    "litellm.ContentPolicyViolationError: AzureException - "
)
_AFTER = (
    "\nmodel=sora-2. content_policy_fallback=None. fallbacks=None.\n\n"
    "Set 'content_policy_fallback' - https://docs.litellm.ai/docs/routing#fallbacks. "
    "Received Model Group=sora-2\nAvailable Model Group Fallbacks=None"
)


def accepted(answer: Answer) -> Json:
    """The body of an answer that must be a 200."""
    assert answer.status == 200, f"{answer.status}: {answer.text}"
    return answer.json()


def create(account: Account, **changes: Json) -> Json:
    """Create a video with the least body, changed as asked."""
    return accepted(account.client.post(VIDEOS, json={**LEAST, **changes}))


def read(account: Account, video_id: str) -> Json:
    return accepted(account.client.get(f"{VIDEOS}/{video_id}"))


def finished(account: Account, **changes: Json) -> Json:
    """Create a video and wait for its end, whichever it is."""
    made = create(account, **changes)
    account.world.advance_until_idle()
    return read(account, made["id"])


def polled(account: Account, video_id: str) -> list[Json]:
    """Every answer of a client that polls until the job has ended."""
    answers: list[Json] = []
    for _ in range(POLLS_MAX):
        answers.append(read(account, video_id))
        if answers[-1]["status"] in {"completed", "failed"}:
            return answers
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"{video_id} has not ended after {POLLS_MAX} polls")


def content(account: Account, video_id: str, **options: Json) -> Answer:
    return account.client.get(f"{VIDEOS}/{video_id}/content", **options)


def wrapped(answer: Answer) -> Json:
    """The upstream's error inside an answer, which must be wrapped exactly as the proxy does it."""
    assert answer.status == 400, f"{answer.status}: {answer.text}"
    error = answer.json()["error"]
    message = error.pop("message")
    assert error == {
        "type": None,
        "param": None,
        "code": "400",
        "provider_specific_fields": {"innererror": None},
    }
    assert message.startswith(_BEFORE)
    assert message.endswith(_AFTER)
    return jsonlib.loads(message[len(_BEFORE) : -len(_AFTER)])["error"]


def refusal(answer: Answer) -> tuple[int, str | None, str | None]:
    """(status, param, code) of a wrapped upstream error."""
    error = wrapped(answer)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    return answer.status, error["param"], error["code"]
