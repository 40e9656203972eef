"""Small verbs of Oshara's users: create, read, list, count; and the files that they upload.

Each asserts that it was accepted, and returns the decoded answer. Tests about refusals speak to
`account.client` themselves.
"""

from __future__ import annotations

import io
import wave
from importlib.resources import files
from importlib.resources.abc import Traversable

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, File, MockWorld

#: The folder of the provider's contract.
SPEC: Traversable = files("screentest.specs").joinpath("oshara")
_MEDIA: Traversable = files("screentest.fixtures").joinpath("media")

JOBS = "/api/video-jobs/"
STATS = "/api/video-jobs/stats/"
VIDEO_ONLY = "/api/video-only/"
LOGIN = "/api/auth/login/"
REFRESH = "/api/auth/refresh/"
#: An id of the documented form that no account owns.
NO_JOB = "/api/video-jobs/999999/"

CREATED_FIELDS = {
    "id",
    "title",
    "status",
    "text_content",
    "processed_video_url",
    "error_message",
    "created_at",
}
JOB_FIELDS = CREATED_FIELDS | {"external_job_id", "updated_at"}

POLL_EVERY_MS = 5_000
#: 120 polls are ten minutes, twice the longest job.
POLLS_MAX = 120

BAD_IMAGE = (
    "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
)
NOT_A_FILE = "The submitted data was not a file. Check the encoding type on the form."


def _wav() -> bytes:
    """A tenth of a second of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(3_200))
    return buffer.getvalue()


JPEG = File("avatar.jpg", (_MEDIA / "poster-640x640.jpg").read_bytes(), "image/jpeg")
PNG = File("avatar.png", (_MEDIA / "page-960x540.png").read_bytes(), "image/png")
WEBP = File("avatar.webp", (_MEDIA / "preview-640x360.webp").read_bytes(), "image/webp")
GIF = File("avatar.gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(20), "image/gif")
WAV = File("voice-sample.wav", _wav(), "audio/wav")
#: One frame of silence: MPEG-1, layer III, 128 kbit/s, 44.1 kHz.
MP3 = File("narration.mp3", b"\xff\xfb\x90\x00" + bytes(413), "audio/mpeg")
TEXT = File("notes.txt", b"This is neither a picture nor a sound.", "text/plain")

#: The least that a job needs.
LEAST: dict[str, str | File] = {
    "title": "Product Demo",
    "text_content": "Welcome to Acme!",
    "avatar": JPEG,
}
#: The least that a job from a recording needs.
LEAST_VIDEO_ONLY: dict[str, str | File] = {"title": "My Video", "avatar": JPEG, "audio": MP3}


def accepted(answer: Answer, status: int = 200) -> Json:
    """The body of an answer that must have *status*."""
    assert answer.status == status, f"{answer.status}: {answer.text}"
    return answer.json()


def create(account: Account, **fields: str | File) -> Json:
    """Create a job; *fields* add to, or replace, the least that is needed."""
    return accepted(account.client.post(JOBS, form={**LEAST, **fields}), 201)


def create_video_only(account: Account, **fields: str | File) -> Json:
    return accepted(account.client.post(VIDEO_ONLY, form={**LEAST_VIDEO_ONLY, **fields}), 201)


def refused(account: Account, *without: str, **fields: str | File) -> Json:
    """The messages by field of a creation that must be a 400."""
    form = {name: value for name, value in {**LEAST, **fields}.items() if name not in without}
    return accepted(account.client.post(JOBS, form=form), 400)


def path_of(job: Json) -> str:
    return f"{JOBS}{job['id']}/"


def read(account: Account, job: Json) -> Json:
    return accepted(account.client.get(path_of(job)))


def listed(account: Account) -> list[Json]:
    jobs: list[Json] = accepted(account.client.get(JOBS))
    return jobs


def stats(account: Account) -> Json:
    return accepted(account.client.get(STATS))


def finished(account: Account, **fields: str | File) -> Json:
    """A new job, read once it has come to its end."""
    job = create(account, **fields)
    account.world.advance_until_idle()
    return read(account, job)


def failed(account: Account, reason: str = "The voice could not be cloned.") -> Json:
    """A new job, read once it has failed."""
    job = create(account)
    account.world.fail_job(str(job["id"]), reason)
    account.world.advance_until_idle()
    return read(account, job)


def watch(account: Account, job: Json) -> list[Json]:
    """What polls every five seconds show, from at once until the job has ended."""
    shown: list[Json] = []
    for _ in range(POLLS_MAX):
        shown.append(read(account, job))
        if shown[-1]["status"] in {"COMPLETED", "FAILED"}:
            return shown
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"still {shown[-1]['status']} after {POLLS_MAX} polls")


def with_token(account: Account, header: str) -> Client:
    """A client of the same world that sends *header* as Authorization."""
    return Client(account.client.wsgi, account.client.base, {"Authorization": header})


def control_job(world: MockWorld, job: Json) -> Json:
    """What the control API shows of a job."""
    return accepted(world.control.get(f"{world.path}/jobs/{job['id']}"))


def fault(world: MockWorld, type: str, operation: str, **attributes: Json) -> None:
    """Arm a fault for the next call of *operation*."""
    body = {
        "type": type,
        "where": {"provider": "oshara", "operation": operation},
        "times": 1,
        "attributes": attributes,
    }
    assert world.control.post(f"{world.path}/faults", json=body).status == 201
