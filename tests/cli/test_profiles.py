"""`verify --report profile:…`, `serve --profile` and `diff` of two runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from .conftest import Shell, send
from .serving import serving_mock

_SPAN = {"jobs": 5, "least_ms": 1, "p50_ms": 60_000, "p90_ms": 90_000, "most_ms": 90_000}
_PROFILE: Json = {
    "profile": 1,
    "provider": "ulazai",
    "readings": {"ulazai.image_to_video_status": "200"},
    "open_readings": {"ulazai.retry_after": ["30", "absent"]},
    "refused_first": [["authentication", "body"]],
    "extra_fields": {"getTaskStatus": {"200": {"/data/owner": "string"}}},
    "durations": {"generation": {"processing": {**_SPAN, "within_ms": 5_000}}},
    "rate_headers": {"getTaskStatus": {"x-ratelimit-limit": [60, 60]}},
}


def _written(shell: Shell, name: str, **changes: Json) -> str:
    (shell.folder / name).write_text(json.dumps({**_PROFILE, **changes}), "utf-8")
    return name


def _report(shell: Shell, name: str, **verdicts: str) -> str:
    lines: list[Json] = [{"type": "run", "provider": "ulazai"}]
    lines += [{"type": "rule", "id": it, "verdict": value} for it, value in verdicts.items()]
    (shell.folder / name).write_text("".join(json.dumps(it) + "\n" for it in lines), "utf-8")
    return name


@pytest.mark.long
def test_the_served_mock_follows_the_profile_and_keeps_to_it_after_a_reset(shell: Shell) -> None:
    profile = _written(shell, "real.json")
    body = {"prompt": "A lamp", "image_url": "https://example.org/lamp.png"}

    with serving_mock(
        shell, "--profile", profile, "--provider", "ulazai", "--clock", "manual"
    ) as it:
        it.control("POST", "/reset")
        headers = {"Authorization": f"Token {it.env['ULAZAI_API_KEY']}"}
        base = f"{it.env['ULAZAI_BASE_URL']}/sora"
        path = f"{base}/generate/image-to-video/"
        status, made = send("POST", path, body, {**headers, "Content-Type": "application/json"})
        task = made["data"]["task_id"]
        _, shown = send("GET", f"{base}/status/{task}/", None, headers)
        _, readings = it.control("GET", "/interpretations")
        it.advance(95_000)
        _, ended = send("GET", f"{base}/status/{task}/", None, headers)

    assert status == 200
    assert (shown["data"]["owner"], shown["data"]["status"]) == ("", "processing")
    assert (ended["data"]["owner"], ended["data"]["status"]) == ("", "success")
    assert readings["ulazai.image_to_video_status"]["value"] == "200"


@pytest.mark.long
def test_a_file_that_is_not_a_profile_is_refused_with_its_line(shell: Shell) -> None:
    profile = _written(shell, "real.json", provider="ulasai")

    for verb in (("serve",), ("run", "--", "true")):
        answer = shell.run(verb[0], "--profile", profile, *verb[1:])

        assert answer.code == 4, answer
        assert "real.json:1: at provider: no provider 'ulasai'; did you mean" in answer.err


def test_a_profile_is_of_a_server(shell: Shell) -> None:
    answer = shell.run("verify", "ulazai", "--report", "profile:real.json")

    assert (answer.code, "a profile is of a server: add --url" in answer.err) == (2, True)


def test_two_runs_without_a_change_do_not_differ(shell: Shell) -> None:
    slower = {"generation": {"processing": {**_SPAN, "p50_ms": 84_999, "within_ms": 5_000}}}
    one = _written(shell, "one.json")
    # Within a quarter of the median and what polls cannot show; fewer answers decide less.
    other = _written(
        shell,
        "other.json",
        durations=slower,
        readings={},
        open_readings={"ulazai.image_to_video_status": ["201", "200"]},
    )

    answer = shell.run("diff", "ulazai", one, other)

    assert (answer.code, answer.out) == (0, "")


def test_drift_between_two_profiles_is_listed(shell: Shell) -> None:
    slower = {"generation": {"processing": {**_SPAN, "p50_ms": 85_001, "within_ms": 5_000}}}
    one = _written(shell, "one.json")
    other = _written(
        shell,
        "other.json",
        durations=slower,
        readings={"ulazai.image_to_video_status": "201", "ulazai.retry_after": "absent"},
        open_readings={},
        refused_first=[["body", "authentication"]],
        extra_fields={"getTaskStatus": {"200": {"/data/owner": "number", "/id": "null"}}},
        rate_headers={},
    )

    answer = shell.run("diff", "ulazai", one, other)
    tolerant = shell.run("diff", "ulazai", one, other, "--tolerance", "50")

    assert answer.code == 1
    assert answer.out.splitlines() == [
        "ulazai.image_to_video_status: 200 → 201",
        "ulazai.retry_after: 30 or absent → absent",
        "refused first: authentication before body → body before authentication",
        "extra_fields getTaskStatus 200 /data/owner: string → number",
        "extra_fields getTaskStatus 200 /id: absent → null",
        "rate_headers getTaskStatus x-ratelimit-limit: present → absent",
        "generation processing: lasts 60 s (median of 5) → 85.001 s (median of 5)",
    ]
    assert tolerant.out.splitlines() == answer.out.splitlines()[:-1]


def test_verdicts_of_two_reports_are_compared(shell: Shell) -> None:
    before = {"same": "kept", "changed": "kept", "gone": "broken", "unseen": "kept"}
    after = {"same": "kept", "changed": "broken", "new": "kept", "unseen": "not judged"}
    one = _report(shell, "one.ndjson", **before)
    other = _report(shell, "other.ndjson", **after)

    answer = shell.run("diff", "ulazai", one, other)

    assert answer.code == 1
    assert answer.out.splitlines() == [
        "changed: kept → broken",
        "gone: broken → absent",
        "new: absent → kept",
    ]


@pytest.mark.parametrize(
    ("provider", "content", "detail"),
    [
        ("ulazai", '{"type": "run", "provider": "ulazai"}\n{"type"', "other:2: not a line of an"),
        ("ulazai", '{"trace": 1}', "one.ndjson and other are not of the same kind"),
        ("ulazai", json.dumps(_PROFILE), "one.ndjson and other are not of the same kind"),
        ("ozor", '{"type": "run", "provider": "ozor"}', "this is about ulazai, not ozor"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(
    shell: Shell, provider: str, content: str, detail: str
) -> None:
    one = _report(shell, "one.ndjson", kept="kept")
    Path(shell.folder, "other").write_text(content, "utf-8")

    answer = shell.run("diff", provider, one, "other")

    assert (answer.code, detail in answer.err) == (4, True), answer
