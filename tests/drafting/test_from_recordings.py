"""`screentest new` with recordings: shapes, durations and forms, and a mock that converges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from screentest.contract_tests.recordings.seen import read_sources
from screentest.contract_tests.traces.trace_file import write_trace
from screentest.mock_server.cli.exit_codes import Exit
from screentest.specs.contracts.contract import Contract
from screentest.specs.drafting.draft import Draft
from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.json_types import Json

from ..contract.hands import recording
from ..mock_client import SECOND_MS
from .lamp import served, verified, write_document

_KEY = "lk_live_9aZ81bQx77Rt"
_BASE = "https://api.lamp.example"
_ID = "vid_7f3a91c0"
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _entry(
    second: float, method: str, path: str, status: int, reply: Json, sent: Json = None
) -> Json:
    request: Json = {
        "method": method,
        "url": f"{_BASE}{path}",
        "headers": [{"name": "Authorization", "value": f"Bearer {_KEY}"}],
    }
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
        request["headers"].append({"name": "Content-Type", "value": "application/json"})
    minute, seconds = divmod(second, 60)
    return {
        "startedDateTime": f"2026-01-01T00:{int(minute):02}:{seconds:06.3f}Z",
        "time": 20,
        "request": request,
        "response": {
            "status": status,
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "X-RateLimit-Limit", "value": "60"},
            ],
            "content": {"mimeType": "application/json", "text": json.dumps(reply)},
        },
    }


def _video(status: str, **more: Json) -> Json:
    plain = {"id": _ID, "status": status, "url": None, "error": None, "credits_charged": 12}
    return {**plain, "created_at": "2026-01-01T00:00:00Z", "model": "lamp-2", **more}


_URL = f"https://files.lamp.example/{_ID}.mp4?token={_SECRET}"
_SENT = {"prompt": "my private cat", "seconds": 5}
#: One job: 4 s in the queue, 10 s of rendering, polled every 2 s; and one other site.
_JOB = [
    _entry(0, "POST", "/v1/videos", 201, _video("queued"), _SENT),
    *(_entry(2 * it, "GET", f"/v1/videos/{_ID}", 200, _video("queued")) for it in (1,)),
    *(_entry(2 * it, "GET", f"/v1/videos/{_ID}", 200, _video("rendering")) for it in range(2, 7)),
    _entry(14, "GET", f"/v1/videos/{_ID}", 200, _video("completed", url=_URL)),
    {
        **_entry(15, "GET", "/ads", 200, {"ad": 1}),
        "request": {"method": "GET", "url": "https://ads.example/x"},
    },
]
_FAILED = [
    _entry(0, "POST", "/v1/videos", 201, _video("queued", id="vid_00ff00ff"), _SENT),
    _entry(3, "GET", "/v1/videos/vid_00ff00ff", 200, _video("failed", error="the lamp broke")),
]


def _har(folder: Path, entries: Sequence[Json] = _JOB) -> Path:
    path = folder / "traffic.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}))
    return path


def _made(folder: Path, *paths: Path) -> tuple[Contract, Draft]:
    sources = read_sources("lamp", paths)
    draft = draft_contract("lamp", sources.document, calls=sources.calls)
    return write_contract(folder / "lamp", sources.openapi, draft), draft


def test_recorded_polls_become_a_lifecycle(tmp_path: Path) -> None:
    _, draft = _made(tmp_path, _har(tmp_path))

    states = draft.rules["lifecycles"]["video"]["states"]

    assert states == {
        "queued": {"kind": "waiting", "lasts_ms": [4_000, 4_000]},
        "rendering": {"kind": "running", "lasts_ms": [10_000, 10_000]},
        "completed": {"kind": "succeeded"},
        "failed": {"kind": "failed"},
    }


def test_forms_limits_costs_and_rhythm_are_those_of_the_recording(tmp_path: Path) -> None:
    _, draft = _made(tmp_path, _har(tmp_path))

    rules = draft.rules

    assert rules["resources"]["video"]["id"] == "vid_{hex:8}"
    assert rules["credentials"]["bearer"]["form"] == "lk_live_{base62:12}"
    assert rules["credentials"]["bearer"]["accepts"] == [
        {"header": "Authorization", "scheme": "Bearer"}
    ]
    assert rules["operations"]["post_v1_videos"]["price"]["amount"] == 12
    assert rules["cadence"]["at_least_ms"] == 2_000
    assert [(it["operations"], it["limit"]) for it in rules["rate_windows"]] == [
        (["post_v1_videos", "get_v1_videos_id"], 60),
    ]


def test_the_mock_of_a_recording_converges(tmp_path: Path) -> None:
    """Two jobs at once, each with its own time: more than the recording has."""
    _made(tmp_path, _har(tmp_path))
    lamp = served(tmp_path / "lamp")

    first = lamp.client.post("/v1/videos", json={"prompt": "a lamp", "seconds": 3}).json()["id"]
    lamp.world.advance(10 * SECOND_MS)
    second = lamp.client.post("/v1/videos", json={"prompt": "a dog", "seconds": 3}).json()["id"]
    lamp.world.advance(5 * SECOND_MS)
    read = [lamp.client.get(f"/v1/videos/{it}").json() for it in (first, second)]
    wrong = lamp.client.post("/v1/videos", json={"prompt": 7})

    assert first != second
    assert [it["status"] for it in read] == ["completed", "rendering"]
    assert lamp.client.follow(read[0]["url"]).headers["content-type"] == "video/mp4"
    assert read[1]["url"] is None
    assert wrong.status == 422


def test_a_drafted_recording_passes_its_own_verification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    contract, _ = _made(tmp_path, _har(tmp_path, [*_JOB, *_FAILED]))

    assert verified(contract.folder, monkeypatch) == Exit.OK, capfd.readouterr().out


def test_a_recorded_failure_gives_its_reason(tmp_path: Path) -> None:
    _, draft = _made(tmp_path, _har(tmp_path, [*_JOB, *_FAILED]))

    assert draft.rules["lifecycles"]["video"]["failure"] == "the lamp broke"


def test_nothing_private_of_a_recording_is_written(tmp_path: Path) -> None:
    _made(tmp_path, _har(tmp_path, [*_JOB, *_FAILED]))

    written = "".join(it.read_text() for it in (tmp_path / "lamp").iterdir())

    private = (_KEY, _SECRET, _ID, "private cat", "files.lamp.example", "ads.example", "9aZ81")
    assert [it for it in private if it in written] == []


@pytest.mark.parametrize(
    ("path", "drafted"),
    [
        ("/v1/text2video/ada@lamp.example", "/v1/text2video/{id}"),
        ("/v1/users/Ada%20Lovelace/videos", "/v1/users/{id}/videos"),
        ("/v1/keys/sk-ant-api03-abcdefghijklmnopqrstuvwx", "/v1/keys/{id}"),
        ("/v1/jobs/20260101/parts/7", "/v1/jobs/{id}/parts/{part_id}"),
    ],
)
def test_what_is_not_a_plain_word_in_a_path_is_an_id(
    tmp_path: Path, path: str, drafted: str
) -> None:
    sources = read_sources("lamp", [_har(tmp_path, [_entry(0, "GET", path, 200, {"a": 1})])])

    assert list(sources.document["paths"]) == [drafted]


@pytest.mark.parametrize(
    ("value", "scheme"), [("Token abc", "token"), ("Basic YTpi", "basic"), ("abc", "bearer")]
)
def test_the_scheme_of_a_credential_is_the_recorded_one(
    tmp_path: Path, value: str, scheme: str
) -> None:
    entry = _entry(0, "GET", "/v1/videos", 200, {"a": 1})
    entry["request"]["headers"] = [{"name": "Authorization", "value": value}]

    sources = read_sources("lamp", [_har(tmp_path, [entry])])

    assert sources.document["components"]["securitySchemes"]["bearer"]["scheme"] == scheme


def test_words_of_a_key_are_not_written(tmp_path: Path) -> None:
    entries = json.loads(json.dumps(_JOB).replace(_KEY, "hunter-prefers-waterfalls"))

    _made(tmp_path, _har(tmp_path, entries))

    written = (tmp_path / "lamp" / "behaviour.yaml").read_text()
    assert "{base36:6}-{base36:7}-{base36:10}" in written


def test_a_recording_without_credentials_takes_a_bearer_key(tmp_path: Path) -> None:
    """Browsers leave the credentials out of what they save."""
    entries = json.loads(json.dumps(_JOB))
    for it in entries:
        it["request"]["headers"] = []

    contract, draft = _made(tmp_path, _har(tmp_path, entries))

    assert list(contract.behaviour.credentials) == ["bearer"]
    assert "video" in draft.rules["lifecycles"]


def test_a_recording_tells_the_durations_of_a_document(tmp_path: Path) -> None:
    _, draft = _made(tmp_path, write_document(tmp_path), _har(tmp_path))

    states = draft.rules["lifecycles"]["video"]["states"]

    assert states["rendering"]["lasts_ms"] == [10_000, 10_000]
    assert list(states) == ["queued", "rendering", "done", "failed", "canceled"]
    assert draft.notes["resources", "video", "id"].endswith("because recorded ids have it")


@pytest.mark.parametrize(
    ("provider", "states"),
    [
        ("oshara", ["PENDING", "PROCESSING", "COMPLETED", "FAILED"]),
        ("ulazai", ["processing", "success", "failed"]),
        ("znapai", ["queued", "in_progress", "completed", "failed"]),
    ],
)
def test_a_trace_is_a_recording_as_well(
    tmp_path: Path, provider: str, states: Sequence[str]
) -> None:
    """The contract behind a mock is found again from what a client saw of it."""
    path = tmp_path / "paid.ndjson"
    write_trace(recording(provider), path)

    contract, draft = _made(tmp_path, path)
    (lifecycle,) = contract.behaviour.lifecycles.values()

    assert list(lifecycle.states) == states
    assert all(it.lasts_ms and it.lasts_ms[0] > 1_000 for it in lifecycle.path)
    assert draft.unknown == []
