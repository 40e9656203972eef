"""The control API: one way of reading calls, and refusals that say what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from screentest.mock_server.http.control.events import EVENT_TYPES
from screentest.mock_server.http.control.jobs import FAULTS_MAX
from screentest.mock_server.http.control.request import BODY_BYTES_MAX
from screentest.specs.contracts.controls import load_controls
from screentest.specs.contracts.registry import shipped_contracts
from screentest.specs.json_types import Json
from screentest.specs.openapi.grammar import METHODS
from tests.mock_client import Account, Client, MockWorld


def test_document_is_served_as_it_is_kept(world: MockWorld) -> None:
    served = world.control.get("/openapi.json").json()

    assert served == load_controls().document
    assert served["info"]["title"] == "screentest control API"


def test_control_api_is_not_a_provider() -> None:
    assert "control" not in shipped_contracts().names


def test_every_route_has_its_operation_and_nothing_else_answers(world: MockWorld) -> None:
    paths = load_controls().document["paths"]
    documented = {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method in METHODS
    }

    answers = {
        (method.upper(), path): world.control.request(
            method.upper(), path.replace("{", "").replace("}", "")
        )
        for path in paths
        for method in ("get", "post", "put", "patch", "delete", "options", "trace")
    }

    # There it is the request with the id `verify`.
    documented.add(("GET", "/worlds/{world}/requests/verify"))
    assert {call for call, answer in answers.items() if answer.status != 405} == documented


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "detail"),
    [
        ("POST", "/worlds", {"sed": 1}, "unknown_field", "no field 'sed'; did you mean 'seed'?"),
        (
            "POST",
            "/worlds",
            {"clock": {"mod": "real"}},
            "unknown_field",
            "no field 'mod'; did you mean 'mode'?",
        ),
        (
            "POST",
            "/worlds",
            {"clock": {"mode": "manul"}},
            "invalid_field",
            "did you mean 'manual'?",
        ),
        ("POST", "/worlds", {"credits": {"ozr": 1}}, "unknown_provider", "did you mean 'ozor'?"),
        ("POST", "/worlds", {"seed": "7"}, "invalid_field", "seed: expected integer, got string"),
        (
            "GET",
            "/worlds/default/jobs?limt=3",
            None,
            "unknown_query_parameter",
            "did you mean 'limit'?",
        ),
        ("GET", "/worlds/default/jobs?provider=ozr", None, "unknown_provider", "'ozor'?"),
        ("GET", "/worlds/default/requests?provider=ozr", None, "unknown_provider", "'ozor'?"),
        ("GET", "/worlds/default/requests?operation=listVid", None, "unknown_operation", "Videos'"),
        ("GET", "/worlds/default/requests?code=SC199", None, "unknown_code", "there are: SC101"),
        ("GET", "/worlds/default/jobs?state=procesing", None, "unknown_state", "'processing'?"),
        ("GET", "/worlds/default/jobs?limit=201", None, "invalid_field", "at most 200"),
        ("GET", "/worlds/default/jobs?limit=1&limit=2", None, "invalid_field", "is repeated"),
        (
            "POST",
            "/worlds/default/snapshots",
            {"name": "../a"},
            "invalid_field",
            "1 to 64 lower-case letters, digits and hyphens",
        ),
        ("PATCH", "/worlds/default/clock", {"speed": 0}, "invalid_field", "more than 0"),
        (
            "POST",
            "/worlds",
            {"pace": "x"},
            "invalid_field",
            "pace: expected documented, fast, instant, or a factor from 0 to 1000, got 'x'",
        ),
        ("POST", "/worlds", {"pace": 1001}, "invalid_field", "pace: expected at most 1000"),
        (
            "POST",
            "/worlds",
            {"clock": {"now": "9999-12-31T23:59:59Z"}},
            "invalid_field",
            "an instant from 1970 to 2999 such as 2026-01-01T00:00:00Z",
        ),
        (
            "POST",
            "/worlds",
            {"clock": {"now": "2026-02-30T00:00:00Z"}},
            "invalid_field",
            "'2026-02-30T00:00:00Z' is not an instant",
        ),
        (
            "POST",
            "/worlds/default/faults",
            {"type": "latency", "where": {"provider": "znapai", "operation": "getVideos"}},
            "unknown_operation",
            "no operation 'getVideos'; did you mean 'getVideo'? (there are: createVideo, ",
        ),
        (
            "GET",
            "/worlds/default/events?type=job.complete",
            None,
            "unknown_type",
            "no type 'job.complete'; did you mean 'job.completed'? (there are: job.",
        ),
    ],
)
def test_mistake_is_named_with_what_exists(
    world: MockWorld, method: str, path: str, body: Json, code: str, detail: str
) -> None:
    answer = world.control.request(method, path, json=body)

    assert (answer.status, answer.json()["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [("/", ""), ("/ozr/api/v1/videos", "; did you mean /ozor/?"), ("/_screentest/healt", "")],
)
def test_unknown_path_lists_the_known_ones(world: MockWorld, path: str, hint: str) -> None:
    answer = Client(world.control.wsgi, "").get(path)

    assert answer.status == 404
    assert answer.json()["detail"] == (
        f"nothing is at {path!r}{hint} (providers are below /oshara/, /ozor/, /ugc_copilot/, "
        "/ulazai/, /znapai/; /_screentest/openapi.json lists the control calls)"
    )


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"[]", 400, "malformed_json"),
        (b'{"seed": 1, "seed": 2}', 400, "malformed_json"),
        (b'{"seed": NaN}', 400, "malformed_json"),
        (b'{"clock": ' + b"[" * 65 + b"]" * 65 + b"}", 400, "malformed_json"),
        (b" " * (BODY_BYTES_MAX + 1), 413, "too_large"),
    ],
)
def test_invalid_json_body_changes_nothing(
    world: MockWorld, raw: bytes, status: int, code: str
) -> None:
    answer = world.control.post("/worlds", raw=raw, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.json()["code"]) == (status, code)


def test_requests_are_found_by_the_code_of_a_finding(ozor: Account) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": 7})
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    ozor.client.get("/nowhere")

    found = {
        code: [it["request"]["path"] for it in ozor.world.requests(code=code)]
        for code in ("SC102", "SC110", "SC500")
    }

    assert found == {"SC102": ["/api/v1/videos/generate"], "SC110": ["/nowhere"], "SC500": []}


def test_requests_come_in_pages_that_join_without_gap_or_repetition(ozor: Account) -> None:
    for _ in range(5):
        ozor.client.get("/api/v1/videos")
    path, cursor, seen = f"{ozor.world.path}/requests", None, list[str]()

    for _ in range(3):
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = ozor.world.control.get(path, query=query).json()
        seen += [line["id"] for line in page["items"]]
        cursor = page["next_cursor"]

    assert (seen, cursor) == (["req_1", "req_2", "req_3", "req_4", "req_5"], None)


def test_job_ends_at_this_instant_in_all_its_states(ozor: Account) -> None:
    made = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).json()
    job = ozor.world.control.get(f"{ozor.world.path}/jobs").json()["items"][0]

    ended = ozor.world.change(f"jobs/{job['id']}", {"outcome": "completed", "now": True})

    assert made["jobId"] == job["id"]
    assert (ended["outcome"], ended["progress"]) == ("completed", 100)
    assert {step["at"] for step in ended["script"]} == {"2026-01-01T00:00:00Z"}
    assert ozor.money == (9, 0, 1)


def test_finished_job_does_not_change(ozor: Account) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    path = f"{ozor.world.path}/jobs"
    job = ozor.world.control.get(path).json()["items"][0]["id"]
    ozor.world.change(f"jobs/{job}", {"outcome": "failed", "now": True})

    answer = ozor.world.control.patch(f"{path}/{job}", json={"outcome": "completed"})

    assert (answer.status, answer.json()["code"]) == (409, "job_finished")
    assert ozor.money == (10, 0, 0)


def test_recorded_reply_is_judged_by_the_providers_contract(world: MockWorld) -> None:
    path = f"{world.path}/replies/lint"
    reply = {"provider": "ozor", "operation": "generateVideo", "status": 200, "body": {"jobId": 7}}

    found = world.control.post(path, json=reply).json()["violations"]

    assert [(it["code"], it["message"]) for it in found] == [
        ("SC502", "videoId: expected a value, got nothing"),
        ("SC502", "status: expected a value, got nothing"),
        ("SC502", "jobId: expected string, got integer 7"),
    ]
    assert found[2]["fix"] == (
        "if the provider answers so, correct 'jobId' in specs/ozor/openapi.yaml"
    )
    assert found[2]["source"].startswith("https://www.ozor.ai/docs/api OZ-")


def test_recorded_field_stays_known_when_another_one_is_wrong(world: MockWorld) -> None:
    body = {
        "videoId": "k3v9x2m7q4ab",
        "title": "Lamp",
        "status": "completed",
        "exportId": "exp_x8k2m4",
        "editorUrl": "https://ozor.ai/editor?projectId=k3v9x2m7q4ab",
        "createdAt": "2026-01-01T00:00:00Z",
        "exportStatus": "completed",
        "downloadUrl": None,
        "shareUrl": None,
        "shareCode": None,
        "thumbnailUrl": None,
        "exportError": None,
        "titel": "",
    }
    reply = {"provider": "ozor", "operation": "getVideo", "status": 200, "body": body}

    found = world.control.post(f"{world.path}/replies/lint", json=reply).json()["violations"]

    assert [(it["pointer"], it["fix"]) for it in found] == [
        (
            "/exportStatus",
            "if the provider answers so, correct 'exportStatus' in specs/ozor/openapi.yaml",
        ),
        ("/titel", "did you mean 'title'? else add 'titel' to specs/ozor/openapi.yaml"),
    ]
    assert found[0]["source"] == "https://www.ozor.ai/docs/api OZ-104, OZ-105, OZ-106"


def test_undocumented_status_is_a_violation(world: MockWorld) -> None:
    reply = {"provider": "ozor", "operation": "generateVideo", "status": 299}

    found = world.control.post(f"{world.path}/replies/lint", json=reply).json()["violations"]

    assert [(it["location"], it["actual"]) for it in found] == [("status", "299")]


def test_real_reply_of_the_mock_has_no_violation(ozor: Account) -> None:
    answer = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    reply = {
        "provider": "ozor",
        "operation": "generateVideo",
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": answer.json(),
    }

    judged = ozor.world.control.post(f"{ozor.world.path}/replies/lint", json=reply).json()

    assert judged == {"violations": []}


def test_unknown_reading_names_the_alternatives(world: MockWorld) -> None:
    answer = world.control.patch(
        f"{world.path}/interpretations", json={"ozor.credit_hold": "guess"}
    )

    assert (answer.status, answer.json()["code"]) == (422, "unknown_reading")
    assert "'check_only'" in answer.json()["detail"]
    assert "'reserve'" in answer.json()["detail"]


def test_orders_in_texts_are_followed_until_they_are_switched_off(ozor: Account) -> None:
    body = {"prompt": "A lamp [[screentest:reject]]"}
    statuses = [ozor.client.post("/api/v1/videos/generate", json=body).status]

    ozor.world.control.patch(ozor.world.path, json={"magic": False})
    statuses.append(ozor.client.post("/api/v1/videos/generate", json=body).status)

    assert (statuses[0] >= 400, statuses[1]) == (True, 200)


@pytest.mark.parametrize(
    ("suffix", "status"), [("", 200), ("-no-credits", 402), ("-revoked", 401), ("-revoke", 401)]
)
def test_suffix_of_a_key_orders_what_becomes_of_its_calls(
    ozor: Account, suffix: str, status: int
) -> None:
    client = Client(ozor.client.wsgi, ozor.client.base, {"X-API-Key": ozor.api_key + suffix})

    answer = client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})

    assert answer.status == status


def test_key_with_a_suffix_is_unknown_where_orders_are_switched_off(ozor: Account) -> None:
    ozor.world.control.patch(ozor.world.path, json={"magic": False})
    client = Client(ozor.client.wsgi, ozor.client.base, {"X-API-Key": f"{ozor.api_key}-no-credits"})

    assert client.get("/api/v1/videos").status == 401


def test_account_over_its_rate_gets_retry_after(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    body = {"data": {"engine": "sora", "scene": {"visualPrompt": "A cup", "scriptText": "Look."}}}
    headers = {"Authorization": f"Bearer {account.api_key}-rate-limited"}
    limited = Client(account.client.wsgi, account.client.base, headers)

    answer = limited.post("/proxyStartVideoGeneration", json=body)

    assert (answer.status, answer.headers.get("retry-after")) == (429, "60")


def test_fault_too_many_is_refused_and_calling_one_off_makes_room(world: MockWorld) -> None:
    path = f"{world.path}/faults"
    made = [world.control.post(path, json={"type": "empty"}) for _ in range(FAULTS_MAX)]

    refused = world.control.post(path, json={"type": "empty"})
    world.control.delete(f"{path}/{made[0].json()['id']}")

    assert (refused.status, refused.json()["code"]) == (409, "too_many")
    assert world.control.post(path, json={"type": "empty"}).status == 201


@pytest.mark.parametrize(
    ("type_", "where", "detail"),
    [
        (
            "stream_cut",
            {"provider": "ulazai"},
            "stream_cut cannot apply to provider=ulazai (it can apply to: ozor generatePlan)",
        ),
        (
            "job_failure",
            {"operation": "listVideos", "provider": "znapai"},
            "job_failure cannot apply to provider=znapai operation=listVideos "
            "(it can apply to: znapai createVideo, znapai remixVideo)",
        ),
        (
            "webhook_drop",
            {"provider": "oshara"},
            "webhook_drop cannot apply to provider=oshara "
            "(it can apply to: ugc_copilot proxyStartVideoGeneration)",
        ),
    ],
)
def test_fault_that_can_never_strike_is_refused_with_what_it_can(
    world: MockWorld, type_: str, where: Json, detail: str
) -> None:
    path = f"{world.path}/faults"

    refused = world.control.post(path, json={"type": type_, "where": where})

    assert (refused.status, refused.json()["code"]) == (422, "out_of_reach")
    assert refused.json()["detail"] == detail
    assert world.control.get(path).json()["items"] == []


def test_server_that_cannot_write_its_ready_file_ends_with_a_message(tmp_path: Path) -> None:
    """A program that waits for the file would otherwise wait for ever."""
    command = [sys.executable, "-m", "screentest.mock_server.cli", "serve", "--port", "0"]
    # Just short enough for a name, and too long for the temporary file beside it.
    ready_file = tmp_path / ("r" * 252)

    ended = subprocess.run(
        [*command, "--ready-file", str(ready_file)],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(b"error: cannot announce the server: ")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"reason": "x"}, "outcome: expected a value, got nothing"),
        ({"outcome": "completed", "reason": "x"}, "outcome: expected 'failed', got 'completed'"),
        ({"now": True, "reason": "x"}, "outcome: expected a value, got nothing"),
    ],
)
def test_reason_of_no_failure_is_refused(ozor: Account, body: Json, detail: str) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    path = f"{ozor.world.path}/jobs"
    (job,) = ozor.world.control.get(path).json()["items"]

    answer = ozor.world.control.patch(f"{path}/{job['id']}", json=body)

    assert (answer.status, answer.json()["code"]) == (422, "invalid_field")
    assert answer.json()["detail"] == detail
    assert ozor.world.control.get(path).json()["items"] == [job]


def test_clock_that_follows_the_system_begins_nowhere_else(world: MockWorld) -> None:
    clock = {"mode": "system", "now": "2026-01-01T00:00:00Z"}

    answer = world.control.post("/worlds", json={"clock": clock})

    assert (answer.status, answer.json()["code"]) == (422, "invalid_field")
    assert "follows the system's time, so it takes no 'now'" in answer.json()["detail"]


def test_account_shows_that_its_key_is_revoked_and_a_revoked_key_stays_so(ozor: Account) -> None:
    path = f"{ozor.world.path}/accounts/{ozor.id}"
    control = ozor.world.control

    untouched = control.patch(path, json={"api_key_revoked": False})
    revoked = control.patch(path, json={"api_key_revoked": True})
    refused = control.patch(path, json={"api_key_revoked": False})
    shown = [control.get(path).json()["api_key_revoked"]]
    control.post(f"{path}/keys")
    shown.append(control.get(path).json()["api_key_revoked"])

    assert (untouched.status, untouched.json()["api_key_revoked"]) == (200, False)
    assert (revoked.status, revoked.json()["api_key_revoked"]) == (200, True)
    assert (refused.status, refused.json()["code"]) == (409, "key_revoked")
    assert refused.json()["detail"] == (
        f"the keys of {ozor.id} are revoked, and a revoked key does not come back; "
        f"POST {path}/keys gives it new ones"
    )
    assert shown == [True, False]


def test_answer_without_a_body_has_no_type(world: MockWorld) -> None:
    answer = world.control.delete(f"{world.path}/faults")

    assert (answer.status, answer.content, "content-type" in answer.headers) == (204, b"", False)


def test_events_that_happen_are_of_the_types_that_can_be_asked_for(ozor: Account) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    ozor.world.advance_until_idle()
    path = f"{ozor.world.path}/events"

    types = {it["type"] for it in ozor.world.control.get(path).json()["items"]}

    assert "job.completed" in types
    assert types | {"webhook.failed"} <= set(EVENT_TYPES)
