"""Small verbs of UlazAI's users: submit, poll, finish, fail.

Each asserts that it was accepted, and returns the decoded answer. Tests about refusals speak to
`account.client` themselves.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, MockWorld

#: The folder of the provider's contract.
SPEC: Traversable = files("screentest.specs").joinpath("ulazai")

TEXT = "/api/v1/sora/generate/text-to-video/"
IMAGE = "/api/v1/sora/generate/image-to-video/"
PROMPT = "A paper boat sails down a gutter after the rain"
PICTURE = "https://media.example.org/boat.jpg"
TEXT_BODY: dict[str, Json] = {"prompt": PROMPT}
IMAGE_BODY: dict[str, Json] = {"image_url": PICTURE, "prompt": PROMPT}

#: Both ways to submit: path and the least that works.
SUBMISSIONS: list[tuple[str, dict[str, Json]]] = [(TEXT, TEXT_BODY), (IMAGE, IMAGE_BODY)]

#: An id of the documented form that no account owns.
NO_TASK = "sra_2_0000000000000000"

POLL_EVERY_MS = 30_000
#: Twenty polls are ten minutes, three times what is documented.
POLLS_MAX = 20


def name_of(submission: tuple[str, Json]) -> str:
    """`text-to-video` or `image-to-video`, for the names of tests."""
    return submission[0].split("/")[-2]


def status_path(task_id: str) -> str:
    return f"/api/v1/sora/status/{task_id}/"


def accepted(answer: Answer) -> Json:
    """`data` of an answer that must be a 201."""
    assert answer.status == 201, f"{answer.status}: {answer.text}"
    body = answer.json()
    assert set(body) == {"success", "data"}
    assert body["success"] is True
    return body["data"]


def from_text(account: Account, **body: Json) -> Json:
    """Submit a text; *body* adds to, or replaces, the prompt."""
    return accepted(account.client.post(TEXT, json={**TEXT_BODY, **body}))


def from_image(account: Account, **body: Json) -> Json:
    """Submit a picture; *body* adds to, or replaces, its address and the prompt."""
    return accepted(account.client.post(IMAGE, json={**IMAGE_BODY, **body}))


def status(account: Account, task_id: str) -> Json:
    """The whole body about a task, which must be a 200."""
    answer = account.client.get(status_path(task_id))
    assert answer.status == 200, f"{answer.status}: {answer.text}"
    return answer.json()


def poll(account: Account, task_id: str) -> list[Json]:
    """Every answer from now until the task has ended, polled every 30 s as the document advises."""
    seen: list[Json] = []
    for _ in range(POLLS_MAX):
        seen.append(status(account, task_id))
        if seen[-1].get("data", {}).get("status") != "processing":
            return seen
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"the task did not end within {POLLS_MAX} polls: {seen[-1]}")


def finish(account: Account, task_id: str) -> Json:
    """`data` of the finished task."""
    body = poll(account, task_id)[-1]
    assert body["success"] is True, body
    return body["data"]


def failed(account: Account, reason: str = "The model gave up", **body: Json) -> tuple[str, Json]:
    """Submit a text that fails for *reason*: the task's id, and the last answer about it."""
    task_id = str(from_text(account, **body)["task_id"])
    account.world.fail_job(task_id, reason)
    return task_id, poll(account, task_id)[-1]


def refusal(answer: Answer) -> tuple[int, str]:
    """(status, reason) of an answer that must be a refusal in the service's own form."""
    body = answer.json()
    assert body["success"] is False, answer.text
    assert isinstance(body["error"], str), answer.text
    assert body["error"], answer.text
    assert set(body) <= {"success", "error", "error_details"}, answer.text
    return answer.status, answer.headers["x-screentest-reason"]


def with_header(account: Account, value: str) -> Client:
    """A client of the same world that sends *value* as its Authorization."""
    return Client(account.client.wsgi, account.client.base, {"Authorization": value})


def fault(
    world: MockWorld, type: str, operation: str, phase: str = "before", **attributes: Json
) -> None:
    """Arm a fault for the next call of *operation*."""
    body = {
        "type": type,
        "where": {"provider": "ulazai", "operation": operation},
        "times": 1,
        "phase": phase,
        "attributes": attributes,
    }
    answer = world.control.post(f"{world.path}/faults", json=body)
    assert answer.status == 201, answer.text


def job(world: MockWorld, task_id: str) -> Json:
    """What the control API shows of a task."""
    answer = world.control.get(f"{world.path}/jobs/{task_id}")
    assert answer.status == 200, answer.text
    return answer.json()


def job_count(world: MockWorld) -> int:
    """How many tasks the world knows."""
    return len(world.control.get(f"{world.path}/jobs").json()["items"])


def lines(account: Account) -> list[tuple[str, int]]:
    """(kind, amount) of every line of the account's ledger."""
    return [(entry["kind"], entry["amount"]) for entry in account.ledger()["entries"]]
