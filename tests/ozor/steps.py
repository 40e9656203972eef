"""Small verbs of Ozor's users: generate, poll, export, analyse, stream.

Each asserts that it was accepted, and returns the decoded answer. Tests about refusals speak to
`account.client` themselves.
"""

from __future__ import annotations

import io
import json as jsonlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeGuard

from werkzeug.test import TestResponse

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, File, MockWorld

#: The folder of the provider's contract.
SPEC: Traversable = files("screentest.specs").joinpath("ozor")

PROMPT = "A 15-second ad for a minimalist desk lamp"
VIDEOS = "/api/v1/videos"
GENERATE = "/api/v1/videos/generate"
ANALYZE = "/api/v1/documents/analyze"
VOICES = "/api/v1/documents/voices"
KEYS = "/api/api-keys"

#: Ids of the documented form that no account owns.
NO_VIDEO = "zzzzzzzzzzzz"
NO_JOB = "job_zzzzzzzzzzzz"
NO_PLAN = "plan_000000000000"
NO_KEY = "zzzzzzzzzzzz"
NO_CONVERSATION = "conv_zzz"

PDF_TYPE = "application/pdf"
PPTX_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

POLL_EVERY_MS = 2_500
#: 240 polls are ten minutes, several times the longest job and export together.
POLLS_MAX = 240

#: What a video shows once it has an export, beside its own five fields.
EXPORT_FIELDS = {
    "exportId",
    "exportStatus",
    "downloadUrl",
    "shareUrl",
    "shareCode",
    "thumbnailUrl",
    "exportError",
}
VIDEO_FIELDS = {"videoId", "title", "status", "editorUrl", "createdAt"}


def accepted(answer: Answer) -> Json:
    """The body of an answer that must be a 200."""
    assert answer.status == 200, f"{answer.status}: {answer.text}"
    return answer.json()


def refusal(answer: Answer) -> tuple[int, str]:
    """(status, reason) of an answer that must be an error in Ozor's shape."""
    detail = answer.json()["detail"]
    assert isinstance(detail, str), answer.text
    assert detail, answer.text
    return answer.status, answer.headers["x-screentest-reason"]


def is_list(node: Json) -> TypeGuard[list[Json]]:
    """Whether decoded JSON is an array, in a way that both type checkers follow."""
    return isinstance(node, list)


def is_object(node: Json) -> TypeGuard[dict[str, Json]]:
    """Whether decoded JSON is an object, in a way that both type checkers follow."""
    return isinstance(node, dict)


# --- Keys -----------------------------------------------------------------------------------------


def firebase(account: Account) -> Client:
    """The account's own session, as a browser has it after logging in."""
    return Client(
        account.client.wsgi, account.client.base, {"Authorization": f"Bearer {account.bearer}"}
    )


def with_key(account: Account, key: str) -> Client:
    """A client of the same world that carries *key*."""
    return Client(account.client.wsgi, account.client.base, {"X-API-Key": key})


def create_key(account: Account, name: str = "Production") -> Json:
    return accepted(firebase(account).post(KEYS, json={"name": name}))


def list_keys(account: Account) -> list[Json]:
    listed: list[Json] = accepted(firebase(account).get(KEYS))
    return listed


def revoke_key(account: Account, key_id: str) -> Answer:
    return firebase(account).delete(f"{KEYS}/{key_id}")


# --- Videos and jobs ------------------------------------------------------------------------------


def generate(account: Account, **body: Json) -> Json:
    """Submit a generation; *body* adds to, or replaces, the prompt."""
    return accepted(account.client.post(GENERATE, json={"prompt": PROMPT, **body}))


def video(account: Account, video_id: str) -> Json:
    return accepted(account.client.get(f"{VIDEOS}/{video_id}"))


def list_videos(account: Account, **query: object) -> list[Json]:
    listed: list[Json] = accepted(account.client.get(VIDEOS, query=query))["videos"]
    return listed


def send_message(account: Account, video_id: str, **body: Json) -> Json:
    message = {"message": "Make the background dark blue", **body}
    return accepted(account.client.post(f"{VIDEOS}/{video_id}/message", json=message))


def job_path(submitted: Mapping[str, Any]) -> str:
    """Where to poll what `generate` or `send_message` answered."""
    return f"{VIDEOS}/{submitted['videoId']}/jobs/{submitted['jobId']}"


def job(account: Account, submitted: Mapping[str, Any]) -> Json:
    return accepted(account.client.get(job_path(submitted)))


def poll_job(account: Account, submitted: Mapping[str, Any]) -> list[Json]:
    """Every answer from now until the job has ended, polled every 2.5 s of the world's clock."""
    seen: list[Json] = []
    for _ in range(POLLS_MAX):
        seen.append(job(account, submitted))
        if seen[-1]["status"] in {"completed", "failed"}:
            return seen
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"the job did not end within {POLLS_MAX} polls: {seen[-1]}")


def finish_job(account: Account, submitted: Mapping[str, Any]) -> Json:
    """The job's last answer."""
    return poll_job(account, submitted)[-1]


def wait_until_running(account: Account, submitted: Mapping[str, Any]) -> None:
    for _ in range(POLLS_MAX):
        if job(account, submitted)["status"] == "processing":
            return
        account.world.advance_to_next()
    raise AssertionError("the job never ran")


def make_video(account: Account, **body: Json) -> str:
    """A video whose agent has finished; costs 1 credit. Its id."""
    submitted = generate(account, **body)
    assert finish_job(account, submitted)["status"] == "completed"
    return str(submitted["videoId"])


def edit(account: Account, video_id: str, **body: Json) -> Json:
    """A message and its finished job; costs 1 credit."""
    return finish_job(account, send_message(account, video_id, **body))


# --- Exports --------------------------------------------------------------------------------------


def export(account: Account, video_id: str, **body: Json) -> Json:
    return accepted(account.client.post(f"{VIDEOS}/{video_id}/export", json=body))


def poll_export(account: Account, video_id: str) -> list[Json]:
    """Every answer of the video from now until its latest export has ended."""
    seen: list[Json] = []
    for _ in range(POLLS_MAX):
        seen.append(video(account, video_id))
        if seen[-1].get("exportStatus") in {"complete", "failed"}:
            return seen
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"the export did not end within {POLLS_MAX} polls: {seen[-1]}")


def finish_export(account: Account, video_id: str) -> Json:
    """The video with its export at its end."""
    return poll_export(account, video_id)[-1]


def exported(account: Account, video_id: str, **body: Json) -> Json:
    """Export the video and wait: the video with a complete export."""
    export(account, video_id, **body)
    done = finish_export(account, video_id)
    assert done["exportStatus"] == "complete", done
    return done


# --- Documents ------------------------------------------------------------------------------------


def pdf_bytes(size: int | None = None) -> bytes:
    """A document of the magic of PDF, of exactly *size* bytes if that is given."""
    head, tail = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n", b"\n%%EOF\n"
    filling = 0 if size is None else size - len(head) - len(tail)
    return head + b" " * filling + tail


def office_bytes(part: str) -> bytes:
    """A minimal Office document that holds *part*, such as `word/document.xml`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<part/>")
    return buffer.getvalue()


def pdf(name: str = "pitch-deck.pdf", content_type: str = PDF_TYPE) -> File:
    return File(name, pdf_bytes(), content_type)


def pptx() -> File:
    return File("deck.pptx", office_bytes("ppt/presentation.xml"), PPTX_TYPE)


def docx() -> File:
    return File("letter.docx", office_bytes("word/document.xml"), DOCX_TYPE)


def analyze(account: Account, **form: str | File) -> Json:
    """The plan of a small PDF, or of `url` or `file` if *form* has one; costs 1 credit."""
    source = {} if "url" in form or "file" in form else {"file": pdf()}
    return accepted(account.client.post(ANALYZE, form={**source, **form}))["plan"]


def plan_path(plan_id: str) -> str:
    return f"/api/v1/documents/plans/{plan_id}"


def plan(account: Account, plan_id: str) -> Json:
    return accepted(account.client.get(plan_path(plan_id)))["plan"]


def update_plan(account: Account, plan_id: str, **body: Json) -> Json:
    return accepted(account.client.patch(plan_path(plan_id), json=body))["plan"]


def scene(order: int = 1, voice: str = "Welcome.") -> dict[str, Json]:
    """One scene with the four fields that an edit must send."""
    return {
        "order": order,
        "sceneTitle": f"Scene {order}",
        "scenePrompt": "A title card on a plain wall",
        "voiceoverText": voice,
    }


def scenes(voiced: int, silent: int = 0) -> list[dict[str, Json]]:
    """*voiced* scenes with narration, then *silent* ones without."""
    total = voiced + silent
    return [scene(n, "Welcome." if n <= voiced else "") for n in range(1, total + 1)]


def plan_with(account: Account, voiced: int, silent: int = 0) -> str:
    """A draft plan with that many scenes; its id. Costs 1 credit."""
    plan_id = str(analyze(account)["planId"])
    update_plan(account, plan_id, scenes=scenes(voiced, silent))
    return plan_id


def generate_plan(account: Account, plan_id: str) -> Answer:
    """The whole answer of a plan's generation; reading it moves the clock to its end."""
    return account.client.post(f"{plan_path(plan_id)}/generate")


def finished_plan(account: Account) -> Json:
    """A generated plan of two voiced scenes; costs 2 credits."""
    plan_id = plan_with(account, voiced=2)
    assert generate_plan(account, plan_id).events[-1]["step"] == "done"
    return plan(account, plan_id)


def failed_plan(account: Account, voiced: int = 2) -> str:
    """A plan whose first generation failed; costs 1 credit for the analysis."""
    plan_id = plan_with(account, voiced)
    fail_next(account.world, "generatePlan", "TTS failed")
    assert generate_plan(account, plan_id).events[-1]["step"] == "error"
    return plan_id


@dataclass(slots=True)
class OpenStream:
    """A plan's generation as it comes, one event at a time."""

    response: TestResponse
    events: Iterator[Json]

    def next(self) -> Json:
        return next(self.events)

    def leave(self) -> None:
        """Hang up, as a client that loses its connection does."""
        self.response.close()


def open_stream(account: Account, plan_id: str) -> OpenStream:
    """Begin a generation without reading on; the clock moves only as far as events are taken."""
    response = account.client.wsgi.open(
        path=f"{account.client.base}{plan_path(plan_id)}/generate",
        method="POST",
        headers=dict(account.client.headers),
    )
    assert response.status_code == 200, response.get_data()
    return OpenStream(response, _events(response))


def _events(response: TestResponse) -> Iterator[Json]:
    unread = b""
    for chunk in response.iter_encoded():
        unread += chunk
        *whole, unread = unread.split(b"\n\n")
        for event in whole:
            if event.startswith(b"data:"):
                yield jsonlib.loads(event.removeprefix(b"data:"))


# --- What only a mock can do ----------------------------------------------------------------------


def fault(world: MockWorld, type: str, operation: str, **attributes: Json) -> None:
    """Arm a fault for the next call of *operation*."""
    body = {
        "type": type,
        "where": {"provider": "ozor", "operation": operation},
        "times": 1,
        "attributes": attributes,
    }
    answer = world.control.post(f"{world.path}/faults", json=body)
    assert answer.status == 201, answer.text


def fail_next(world: MockWorld, operation: str, reason: str) -> None:
    """The next job that *operation* starts will fail."""
    fault(world, "job_failure", operation, reason=reason)


def control_job(world: MockWorld, job_id: str) -> Json:
    return accepted(world.control.get(f"{world.path}/jobs/{job_id}"))


def job_count(world: MockWorld) -> int:
    """How many jobs of any kind the world knows."""
    return len(accepted(world.control.get(f"{world.path}/jobs"))["items"])


def conversation(account: Account, submitted: Mapping[str, Any]) -> str:
    """The conversation of a job; Ozor's own answers never tell it."""
    return str(control_job(account.world, submitted["jobId"])["details"]["conversation_id"])


def trace_path(video_id: str, conversation_id: str) -> str:
    return f"{VIDEOS}/{video_id}/conversations/{conversation_id}/tool-trace"
