"""Clock, jobs, credits, faults, logs: every verb does what it says, on the world that is meant."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.loopback import listening

from .conftest import Shell, World, send


def test_clock_tells_mode_time_and_what_is_next(world: World) -> None:
    job = world.start_job()

    shown = world.run("clock")

    assert shown.code == 0
    assert shown.out.startswith("manual  2026-01-01T00:00:00Z  next: " + job)


def test_clock_moves_by_a_duration_and_lists_what_happened(world: World) -> None:
    world.start_job()

    moved = world.run("clock", "advance", "2m", "--json")

    assert moved.json["now"] == "2026-01-01T00:02:00Z"
    assert [it["type"] for it in moved.json["fired"]] == ["job.running", "job.completed"]


def test_clock_moves_to_what_is_next_and_until_nothing_is_due(world: World) -> None:
    world.start_job()

    first = world.run("clock", "advance", "next", "--json").json["fired"]
    rest = world.run("clock", "advance", "idle", "--json").json["fired"]

    assert [it["type"] for it in first] == ["job.running"]
    assert [it["type"] for it in rest] == ["job.completed"]


def test_clock_refuses_an_invalid_duration(world: World) -> None:
    refused = world.run("clock", "advance", "soon")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "error: cannot advance by 'soon'\n"
        "hint: write a duration (45s, 2m, 1h30m), next, idle, "
        "or an instant (2026-01-01T12:00:00Z)\n"
    )


def test_clock_changes_speed_and_mode(world: World) -> None:
    fast = world.run("clock", "speed", "20", "--json").json
    auto = world.run("clock", "mode", "auto", "--json").json

    assert (fast["mode"], fast["speed"]) == ("real", 20.0)
    assert auto["mode"] == "auto"


def test_jobs_are_listed_with_state_and_end(world: World) -> None:
    job = world.start_job()

    listed = world.run("jobs")

    head, row = listed.out.splitlines()
    assert head.split() == ["JOB", "PROVIDER", "KIND", "STATE", "PROGRESS", "ENDS", "OUTCOME"]
    assert row.split()[:5] == [job, "ozor", "agent_job", "queued", "0%"]


def test_job_with_a_set_failure_fails_at_its_end(world: World) -> None:
    job = world.start_job()

    detail = world.run("jobs", "fail", job, "--reason", "No lamps today", "--json").json
    world.run("clock", "advance", "idle")
    ended = world.run("jobs", "show", job, "--json").json

    assert (detail["state"], detail["outcome"]) == ("queued", "failed")
    assert (ended["state"], ended["reason"]) == ("failed", "No lamps today")


def test_held_job_stays_until_it_is_released(world: World) -> None:
    job = world.start_job()

    world.run("jobs", "hold", job)
    world.run("clock", "advance", "1h")
    held = world.run("jobs", "show", job, "--json").json
    world.run("jobs", "release", job)
    world.run("clock", "advance", "1h")
    released = world.run("jobs", "show", job, "--json").json

    assert (held["state"], released["state"]) == ("queued", "completed")


def test_trigger_ends_the_newest_running_job_now(world: World) -> None:
    job = world.start_job()

    ended = world.run("trigger", "ozor", "job.completed", "--json")

    assert (ended.json["id"], ended.json["state"]) == (job, "completed")
    assert world.run("credits", "--provider", "ozor", "--json").json["spent"] == 1


def test_trigger_fails_a_job_with_a_reason_and_gives_the_money_back(world: World) -> None:
    job = world.start_job()

    ended = world.run("trigger", "ozor", "failed", "--job", job, "--reason", "No", "--json")

    ledger = world.run("credits", "--provider", "ozor", "--json").json
    assert (ended.json["state"], ended.json["reason"]) == ("failed", "No")
    assert (ledger["available"], ledger["held"], ledger["spent"]) == (10, 0, 0)


def test_trigger_says_so_when_nothing_runs(world: World) -> None:
    refused = world.run("trigger", "ozor", "completed")

    assert refused.code == 2
    assert refused.err.startswith("error: no job of 'ozor' is running\n")


def test_credits_are_shown_for_every_provider_and_can_be_set(world: World) -> None:
    changed = world.run("credits", "set", "ozor", "0", "--json").json
    status, _ = world.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})
    shown = world.run("credits", "--json").json

    assert changed[0]["credits"] == {"available": 0, "held": 0}
    assert status == 402
    assert [it["credits"]["available"] for it in shown if it["provider"] == "ozor"] == [0]


def test_fault_strikes_as_often_as_ordered(world: World) -> None:
    world.run(
        "fault",
        "add",
        "http_error",
        "--provider",
        "ozor",
        "--status",
        "503",
        "--retry-after",
        "2s",
        "--times",
        "2",
    )

    statuses = [world.send("GET", "/api/v1/videos")[0] for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert world.run("fault", "list", "--json").json[0]["fired"] == 2


def test_fault_is_taken_back(world: World) -> None:
    world.run("fault", "add", "http_error", "--times", "forever")

    cleared = world.run("fault", "clear")

    assert (cleared.code, cleared.err) == (0, "cleared every fault\n")
    assert world.send("GET", "/api/v1/videos")[0] == 200


def test_fault_of_an_unknown_type_names_the_nearest(world: World) -> None:
    refused = world.run("fault", "add", "htp_error")

    assert refused.code == 2
    assert "did you mean 'http_error'?" in refused.err


def test_fault_types_are_listed_with_their_attributes(world: World) -> None:
    types = {it["type"]: it for it in world.run("fault", "types", "--json").json}

    assert types["latency"]["attributes"] == {
        "delay_ms": 1000,
        "jitter_ms": 0,
        "p50_ms": None,
        "p99_ms": None,
        "clock": "machine",
    }
    assert types["reset_peer"]["summary"] == (
        "The connection is closed without an answer, in an orderly way: there is no TCP reset."
    )
    assert len(types) == 28


def test_logs_show_a_request_and_below_it_what_was_wrong(world: World) -> None:
    world.send("GET", "/api/v1/vidoes")

    logged = world.run("logs").out.splitlines()

    assert logged[0].split()[:6] == [
        "2026-01-01",
        "00:00:00",
        "GET",
        "ozor",
        "/api/v1/vidoes",
        "404",
    ]
    assert logged[1].startswith("  └ SC110 expected a documented path")
    assert "fix: did you mean GET/POST /api/v1/videos" in logged[1] or "fix:" in logged[1]


def test_logs_findings_lists_findings_of_all_kinds(world: World) -> None:
    world.send("POST", "/api/v1/videos/generate", {"prompt": 7})
    world.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})
    world.run("clock", "advance", "1h")

    listed = world.run("logs", "findings", "--final").out
    coded = world.run("logs", "findings", "--code", "sc212", "--json").out.splitlines()

    assert "request  req_1  ozor  generateVideo\n  └ SC102 /prompt: " in listed
    assert "payment  req_2  ozor  generateVideo\n  └ SC212 expected the end of the job" in listed
    assert [json.loads(it)["where"]["job"] is not None for it in coded] == [True]


def test_logs_are_filtered_by_class_of_status_and_by_code(world: World) -> None:
    world.send("GET", "/api/v1/videos")
    world.send("GET", "/api/v1/vidoes")
    world.send("POST", "/api/v1/videos/generate", {})

    refused = world.run("logs", "--status", "4xx", "--json").out.splitlines()
    coded = world.run("logs", "--code", "sc107", "--json").out.splitlines()

    assert [json.loads(it)["response"]["status"] for it in refused] == [404, 400]
    assert [json.loads(it)["id"] for it in coded] == ["req_3"]


def test_unknown_finding_is_not_an_empty_list(world: World) -> None:
    refused = world.run("logs", "--code", "SC1033")

    assert (refused.code, refused.out) == (2, "")
    assert "no finding 'SC1033'; did you mean 'SC103'?" in refused.err


def test_one_request_is_shown_with_a_curl_that_names_no_secret(world: World) -> None:
    world.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})

    shown = world.run("logs", "show", "req_1")

    assert '-H "x-api-key: $OZOR_API_KEY"' in shown.out
    assert world.env["OZOR_API_KEY"] not in shown.out


@pytest.mark.parametrize("mark", ["$(touch ran)", "`touch ran`", '"; touch ran; "', "\\"])
def test_curl_of_a_request_runs_nothing_that_a_client_sent(world: World, mark: str) -> None:
    headers = {"X-Note": f"{mark} sk-{'a' * 40}"}
    send("GET", world.env["OZOR_BASE_URL"] + "/api/v1/videos", None, headers)
    curl = world.run("logs", "show", "req_1").out.splitlines()[-1]

    done = subprocess.run(
        ["sh", "-c", f"set -- {curl.removeprefix('curl')}\nprintf '%s\\n' \"$@\""],
        cwd=world.shell.folder,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )

    assert curl.startswith("curl -X GET ")
    assert not (world.shell.folder / "ran").exists()
    assert "-X\nGET\n" in done.stdout


def test_invalid_status_is_named(world: World) -> None:
    refused = world.run("logs", "--status", "4x")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "error: --status must be a status such as 402, or a class such as 4xx, not '4x'\n"
    )


def test_world_that_does_not_exist_is_refused_in_one_line(world: World) -> None:
    refused = world.run("jobs", "--world", "w_nowhere")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: no world 'w_nowhere'")
    assert len(refused.err.splitlines()) == 1


def test_env_names_an_address_that_paths_can_be_added_to(world: World) -> None:
    document = world.run("env", "--json", "--url", f"{world.url}/").json

    assert document["SCREENTEST_URL"] == world.url


def test_env_prints_lines_for_a_shell_and_one_json_object(world: World) -> None:
    lines = world.run("env").out.splitlines()
    document = world.run("env", "--json").json

    assert f"export OZOR_API_KEY={world.env['OZOR_API_KEY']}" in lines
    assert document == {"SCREENTEST_URL": world.url, **world.env}


def test_credits_of_an_account_are_those_of_its_own_provider(world: World) -> None:
    account = world.run("credits", "--provider", "ulazai", "--json").json["account"]

    refused = world.run("credits", "set", "ozor", "1", "--account", account)

    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"error: account '{account}' belongs to 'ulazai', not to 'ozor'\n"


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        (("jobs", "show", ""), "no job ''"),
        (("jobs", "hold", "../clock"), "no job '../clock'"),
        (("logs", "show", "é"), "no request 'é'"),
        (("logs", "show", "../clock"), "no request '../clock'"),
        (("credits", "--account", "../clock"), "no account '../clock'"),
        (("webhooks", "resend", ""), "no delivery ''"),
        (("fault", "clear", "../jobs"), "no fault '../jobs'"),
        (("clock", "--world", ""), "no world ''"),
        (("clock", "--world", "a/b"), "no world 'a/b'"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_impossible_name_is_reported_like_any_other(
    world: World, words: tuple[str, ...], detail: str
) -> None:
    refused = world.run(*words)

    assert (refused.code, refused.out, refused.err) == (2, "", f"error: {detail}\n")


def test_lost_name_takes_back_no_fault(world: World) -> None:
    """`fault clear "$FAULT"` with an empty variable is a slip, and no order to clear them all."""
    world.run("fault", "add", "http_error", "--times", "forever")

    refused = world.run("fault", "clear", "")

    assert (refused.code, refused.err) == (2, "error: no fault ''\n")
    assert world.send("GET", "/api/v1/videos")[0] == 503


@pytest.mark.parametrize("value", ["NaN", "1e999", "-Infinity"])
def test_fault_attribute_without_a_json_number_is_reported(world: World, value: str) -> None:
    refused = world.run("fault", "add", "http_error", "--set", f"status={value}")

    assert refused.code == 2
    assert refused.err == f"error: attributes.status: expected integer, got string '{value}'\n"


def test_logs_take_any_number_of_requests(world: World) -> None:
    world.send("GET", "/api/v1/videos")

    shown = world.run("logs", "-n", "99999999999999999999")

    assert (shown.code, len(shown.out.splitlines())) == (0, 1)


def test_job_whose_id_has_slashes_is_named_as_the_list_shows_it(world: World) -> None:
    key, base = world.env["UGC_COPILOT_API_KEY"], world.env["UGC_COPILOT_BASE_URL"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    order = {
        "data": {"engine": "sora", "scene": {"visualPrompt": "A kettle steams", "scriptText": ""}}
    }
    status, made = send("POST", f"{base}/proxyStartVideoGeneration", order, headers)
    assert status == 200, made

    (listed,) = world.run("jobs", "--json").json
    shown = world.run("jobs", "show", listed["id"], "--json")
    held = world.run("jobs", "hold", listed["id"].replace("/", "_"), "--json")

    assert "/" in listed["id"]
    assert shown.json["id"] == held.json["id"] == listed["id"]


@pytest.mark.parametrize("job", ["", "/", "a//b", "a/", "a/../b"])
def test_job_id_with_an_empty_part_is_refused_before_a_request(world: World, job: str) -> None:
    refused = world.run("jobs", "show", job)

    assert (refused.code, refused.err) == (2, f"error: no job {job!r}\n")


@pytest.mark.long
def test_server_that_answers_nothing_is_exit_code_3_within_five_seconds(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        answer = shell.run("clock", "--url", url)

    assert answer.code == 3
    assert answer.err.startswith(f"error: no mock at {url}: no answer for 4.5 s\n")


@pytest.mark.long
def test_call_lasts_as_long_as_it_needs_while_the_server_answers_others(shell: Shell) -> None:
    asked = threading.Event()

    def slow(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/_screentest/health":
            asked.set()
        elif not asked.wait(10):
            start("500 Not Asked", [])
            return []
        start("200 OK", [("X-Screentest-Control", "1"), ("Content-Type", "application/json")])
        return [b'{"now": "2026-01-01T00:05:00Z", "fired": [], "next": null, "pending": 0}']

    with listening(slow) as port:
        answer = shell.run("clock", "advance", "5m", "--url", f"http://127.0.0.1:{port}")

    assert (answer.code, answer.err) == (0, "")
    assert asked.is_set()
