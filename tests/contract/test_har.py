"""HAR files as browsers and proxies write them: what is not in them is not judged, nor lost."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from screentest.contract_tests.recordings.har import HarReading, tally
from screentest.contract_tests.recordings.recorded import judge_recording
from screentest.contract_tests.traces.trace import LackingPart, Trace
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from .hands import recording, session_with
from .har_writer import read_har, write_har

OZOR = load_contract("ozor")
HOME = "https://ozor.ai"
JOB = {"videoId": "newnewnewnew", "jobId": "job_0WY2SeyHpjus", "status": "pending"}


def _entry(second: int, method: str, path: str, reply: Json, sent: Json = None) -> Json:
    """An entry with no more than HAR 1.2 asks for."""
    request: Json = {
        "method": method,
        "url": path if "://" in path else HOME + path,
        "headers": [
            {"name": "X-API-Key", "value": "a key of mine"},
            {"name": "Content-Type", "value": "application/json"},
        ],
    }
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    return {
        "startedDateTime": f"2026-11-21T10:00:{second:02d}Z",
        "time": 5,
        "request": request,
        "response": {
            "status": 200,
            "headers": [],
            "content": {"mimeType": "application/json", "text": json.dumps(reply)},
        },
    }


def _making(second: int = 1) -> Json:
    return _entry(second, "POST", "/api/v1/videos/generate", JOB, {"prompt": "A"})


def _poll(second: int, status: str, **more: Json) -> Json:
    path = "/api/v1/videos/newnewnewnew/jobs/job_0WY2SeyHpjus"
    shown = {**JOB, "status": status, "createdAt": "2026-11-21T10:00:01Z", **more}
    return _entry(second, "GET", path, shown)


def _read(folder: Path, *entries: Json, provider: str = "ozor") -> HarReading:
    path = folder / "some.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return read_har(path, load_contract(provider))


def _broken(trace: Trace) -> list[str]:
    return [it.rule.id for it in judge_recording(trace).judge.findings]


def test_an_export_of_an_older_video_does_not_make_it_newer(tmp_path: Path) -> None:
    shown = [
        {
            "videoId": name,
            "title": "A",
            "status": "completed",
            "createdAt": at,
            "editorUrl": f"https://ozor.ai/editor?projectId={name}",
        }
        for name, at in (
            ("newnewnewnew", "2026-11-21T10:00:01Z"),
            ("oldoldoldold", "2026-10-01T10:00:00Z"),
        )
    ]
    export = {"videoId": "oldoldoldold", "exportId": "exp_9xai00323cio", "exportStatus": "queued"}

    trace = _read(
        tmp_path,
        _making(),
        _entry(3, "POST", "/api/v1/videos/oldoldoldold/export", export, {}),
        _entry(5, "GET", "/api/v1/videos", {"videos": shown}),
    ).trace

    assert _broken(trace) == []


def test_a_list_in_the_wrong_order_is_found(tmp_path: Path) -> None:
    def made(second: int, name: str) -> Json:
        made = {**JOB, "videoId": name, "jobId": f"job_{name}"}
        return _entry(second, "POST", "/api/v1/videos/generate", made, {"prompt": "A"})

    shown = [
        {
            "videoId": name,
            "title": "A",
            "status": "completed",
            "createdAt": "2026-11-21T10:00:01Z",
            "editorUrl": f"https://ozor.ai/editor?projectId={name}",
        }
        for name in ("aaaaaaaaaaaa", "bbbbbbbbbbbb")
    ]

    trace = _read(
        tmp_path,
        made(1, "aaaaaaaaaaaa"),
        made(2, "bbbbbbbbbbbb"),
        _entry(5, "GET", "/api/v1/videos", {"videos": shown}),
    ).trace

    assert _broken(trace) == ["list.listVideos.order"]


def test_entries_are_judged_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    done = _poll(9, "completed", response="done")

    trace = _read(tmp_path, done, _poll(5, "processing"), _making()).trace

    assert [it.operation for it in trace.exchanges] == ["generateVideo", "getJob", "getJob"]
    assert _broken(trace) == []


def test_polls_that_overlap_have_no_order(tmp_path: Path) -> None:
    slow, quick = _poll(5, "processing"), _poll(6, "completed", response="done")
    quick["time"], slow["time"] = 10, 4_000
    late = _poll(7, "processing")

    trace = _read(tmp_path, _making(), slow, quick).trace
    after = _read(tmp_path, _making(), quick, late).trace

    assert (_broken(trace), _broken(after)) == ([], ["life.agent_job.final"])


def test_a_stream_without_times_of_its_pieces_is_not_judged_by_them(tmp_path: Path) -> None:
    session = session_with("ozor")
    plan = session.resources.make("plan")
    stream = session.call("generatePlan", ids=plan.ids)
    path = tmp_path / "stream.har"
    write_har(session.trace, path, HOME)

    trace = read_har(path, OZOR).trace
    judge = judge_recording(trace).judge

    assert (stream.chunks, trace.exchanges[-1].chunks) == (15, 0)
    assert judge.findings == []
    assert judge.kept["stream.generatePlan.last"] == 1
    assert judge.kept["stream.generatePlan.live"] == 0


@pytest.mark.parametrize("kept", [[], [{"name": "x-api-key", "value": "[redacted]"}]])
def test_credentials_that_were_taken_out_are_not_missing(kept: Json, tmp_path: Path) -> None:
    made = _making()
    made["request"]["headers"] = kept

    trace = _read(tmp_path, made).trace

    assert trace.exchanges[0].lacks == {LackingPart.CALLER, LackingPart.HEADERS}
    assert _broken(trace) == []


def test_who_sends_none_where_others_do_is_anonymous(tmp_path: Path) -> None:
    bare = _entry(2, "GET", "/api/v1/videos", {"videos": []})
    bare["request"]["headers"] = []

    trace = _read(tmp_path, _making(), bare).trace

    assert [it.actor for it in trace.exchanges] == ["owner", "anonymous"]
    assert _broken(trace) == ["auth.listVideos.missing"]


def test_a_call_that_no_document_has_is_drift_unless_it_is_refused(tmp_path: Path) -> None:
    gone = _entry(4, "GET", "/api/v1/nothing", {"detail": "Not Found"})
    gone["response"]["status"] = 404

    trace = _read(
        tmp_path,
        _making(),
        _entry(2, "GET", "/api/v2/newthing", {"is": "new"}),
        _entry(3, "DELETE", "/api/v1/videos", {"deleted": 3}),
        gone,
    ).trace
    judged = judge_recording(trace)

    found = [(it.rule.id, it.summary) for it in judged.judge.findings]
    assert found == [
        ("route.unknown", "it was answered 200, and no document has it"),
        ("route.method", "it was answered 200, and no document has it (there are: GET)"),
    ]
    assert list(judged.undocumented) == [
        "GET /api/v2/newthing → 200",
        "DELETE /api/v1/videos → 200",
        "GET /api/v1/nothing → 404",
    ]


def test_an_entry_that_is_not_a_provider_call_is_counted(tmp_path: Path) -> None:
    preflight = _entry(2, "OPTIONS", "/api/v1/videos/generate", None)
    aborted = _entry(3, "GET", "/api/v1/videos", None)
    aborted["response"] = {"status": 0, "headers": [], "content": {"mimeType": "x-unknown"}}
    cached = {**_entry(4, "GET", "/api/v1/videos", {"videos": 0}), "_fromCache": "disk"}
    unchanged = _entry(5, "GET", "/api/v1/videos", None)
    unchanged["response"]["status"] = 304
    moved = _entry(6, "GET", "/api/v1/videos/", None)
    moved["response"]["status"] = 307
    page = _entry(7, "GET", "/editor?projectId=newnewnewnew", None)
    page["response"]["content"] = {"mimeType": "text/html", "text": "<html>"}
    page["request"]["headers"] = []
    video = _poll(8, "completed", response="see https://ozor.ai/api/files/a.mp4?sig=1")
    file = _entry(9, "GET", "/api/files/a.mp4?sig=1", None)
    elsewhere = _entry(9, "GET", "https://znapai.example/v1/videos", {"data": []})
    other = _entry(9, "GET", "https://ulazai.com/api/v1/videos", {"videos": 0})

    reading = _read(
        tmp_path,
        _making(),
        preflight,
        aborted,
        cached,
        unchanged,
        moved,
        page,
        video,
        file,
        elsewhere,
        other,
    )

    assert [it.operation for it in reading.trace.exchanges] == ["generateVideo", "getJob"]
    assert reading.skipped == {
        "preflights of browsers at the provider": 1,
        "without an answer": 1,
        "answers from a cache": 2,
        "redirects at the provider": 1,
        "pages and files at the provider": 1,
        "files that answers point to at the provider": 1,
        "calls of znapai.example": 1,
        "calls of ulazai.com": 1,
    }
    assert _broken(reading.trace) == []


def test_a_stand_in_is_known_by_the_paths_below_it(tmp_path: Path) -> None:
    mock = "http://127.0.0.1:8787/w/mine/ozor"

    reading = _read(
        tmp_path,
        _entry(1, "POST", f"{mock}/api/v1/videos/generate", JOB, {"prompt": "A"}),
        _entry(2, "GET", f"{mock}/api/v2/newthing", {}),
        _entry(3, "GET", "http://127.0.0.1:8787/_screentest/health", {}),
    )

    assert [it.path for it in reading.trace.exchanges] == [
        "/api/v1/videos/generate",
        "/api/v2/newthing",
    ]
    assert reading.skipped == {"calls of 127.0.0.1:8787": 1}


def _without(entry: Json, *places: str) -> Json:
    changed = json.loads(json.dumps(entry))
    for place in places:
        *steps, last = place.split("/")
        at = changed
        for step in steps:
            at = at[step]
        del at[last]
    return changed


@pytest.mark.parametrize(
    "entry",
    [
        _without(_making(), "response/content/text"),
        _without(_making(), "response/content"),
        _without(_making(), "response/headers"),
        _without(_making(), "request/postData/text"),
        _without(_making(), "time"),
        _without(_making(), "startedDateTime"),
        {**_making(), "time": None},
        {**_making(), "time": 5.75},
        {**_making(), "startedDateTime": "2026-11-21T10:00:01.123456"},
        {**_making(), "request": {**_making()["request"], "postData": None}},
    ],
)
def test_an_absent_optional_part_is_not_a_defect(entry: Json, tmp_path: Path) -> None:
    trace = _read(tmp_path, entry).trace

    assert [it.operation for it in trace.exchanges] == ["generateVideo"]
    assert _broken(trace) == []


@pytest.mark.parametrize(
    ("edit", "detail"),
    [
        ({"startedDateTime": "yesterday"}, "at startedDateTime: 'yesterday' is not an instant"),
        ({"response": None}, "at response: expected `object`, got `null`"),
        ({"request": {"method": "GET"}}, "at request: object missing required field `url`"),
        (
            {"response": {"status": 200, "content": {"encoding": "base64", "text": "#"}}},
            "at response/content/text: no base64: Only base64 data is allowed",
        ),
    ],
)
def test_an_invalid_entry_is_named(edit: Json, detail: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(f"entry 2: {detail}")):
        _read(tmp_path, _making(), {**_making(), **edit})


@pytest.mark.parametrize(
    ("entries", "detail"),
    [
        ([], "nothing in it is about ozor: it has no entries"),
        (
            [_entry(1, "GET", "https://api.znapai.com/v1/videos", {})],
            "nothing in it is about ozor: 1 calls of api.znapai.com",
        ),
        (
            [_entry(1, "OPTIONS", "/api/v1/videos", None)],
            "nothing in it is about ozor: 1 preflights of browsers at the provider",
        ),
    ],
)
def test_a_file_without_anything_of_the_provider_is_refused(
    entries: list[Json], detail: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(detail)):
        _read(tmp_path, *entries)


def test_an_explicit_default_port_is_the_same_host(tmp_path: Path) -> None:
    made = _making()
    made["request"]["url"] = "https://ozor.ai:443/api/v1/videos/generate"

    reading = _read(tmp_path, made, _entry(2, "GET", "/api/v1/videos", {"videos": []}))

    assert [it.operation for it in reading.trace.exchanges] == ["generateVideo", "listVideos"]


def test_dozens_of_other_hosts_are_listed_in_one_line(tmp_path: Path) -> None:
    others = [_entry(2, "GET", f"https://cdn{it}.example.org/a.js", None) for it in range(12)]

    reading = _read(tmp_path, _making(), *others)

    assert tally(reading.skipped).endswith("1 calls of cdn7.example.org, 4 more")


def test_http_2_base64_and_forms_read_like_anything_else(tmp_path: Path) -> None:
    made = _making()
    made["request"]["headers"].append({"name": ":authority", "value": "ozor.ai"})
    content = made["response"]["content"]
    content |= {"encoding": "base64", "text": b64encode(content["text"].encode()).decode()}

    exchange = _read(tmp_path, made).trace.exchanges[0]

    assert exchange.reply == JOB
    assert ":authority" not in exchange.request_headers


def test_an_account_may_use_a_key_that_it_was_given(tmp_path: Path) -> None:
    """The second key was handed out to the owner of the first, so nothing is foreign to it."""
    key = "sk_" + "live_" + "0f" * 16
    given = {"id": "key_1", "name": "k", "rawKey": key, "createdAt": "2026-11-21T10:00:01Z"}
    mine = _poll(5, "pending")
    mine["request"]["headers"][0]["value"] = key

    trace = _read(
        tmp_path, _making(), _entry(3, "POST", "/api/v1/api-keys", given, {"name": "k"}), mine
    ).trace

    assert {it.key for it in trace.exchanges} == {"owner#0"}


def _token(subject: str, number: int) -> str:
    claims = json.dumps({"iss": "https://id.example", "sub": subject, "iat": number})
    return f"e30.{urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.{number}"


def test_a_token_that_was_renewed_is_of_the_same_account(tmp_path: Path) -> None:
    entries = [_entry(it, "GET", "/api/v1/api-keys", []) for it in range(3)]
    for entry, token in zip(entries, (_token("a", 1), _token("a", 2), _token("b", 3)), strict=True):
        entry["request"]["headers"] = [{"name": "authorization", "value": f"Bearer {token}"}]

    trace = _read(tmp_path, _making(), *entries).trace

    assert [it.key for it in trace.exchanges] == ["owner#0", "owner#0", "owner#0", "owner#1"]


def test_an_upload_without_its_file_is_not_sent_again(tmp_path: Path) -> None:
    sent = _entry(1, "POST", "/api/v1/documents/analyze", {})
    text = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n\r\n--b--'
    sent["request"]["postData"] = {"mimeType": "multipart/form-data; boundary=b", "text": text}

    trace = _read(tmp_path, sent).trace

    assert LackingPart.SENT in trace.exchanges[0].lacks


def test_a_recording_of_ours_reads_back_from_a_har_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.har"
    write_har(recording("znapai"), path, "https://api.znapai.com")

    trace = read_har(path, load_contract("znapai")).trace

    assert [it.line for it in trace.exchanges] == [
        it.line for it in recording("znapai").exchanges if it.operation
    ]
