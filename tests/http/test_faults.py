"""Every kind of injected fault, as a client library experiences it over a real socket."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from screentest.specs.json_types import Json
from tests.live_mock import LiveMock

_GENERATE = "/api/v1/videos/generate"
_PROMPT = {"prompt": "A lamp"}


@dataclass(frozen=True, slots=True)
class Site:
    """One world on the live server, and its Ozor account."""

    mock: LiveMock
    world: str
    base_url: str
    headers: dict[str, str]
    account: str

    def order(self, type_: str, *, operation: str | None = None, **more: Json) -> str:
        """Order a fault; returns its id."""
        where = {"provider": "ozor", **({"operation": operation} if operation else {})}
        body = {"type": type_, "where": where, **more}
        fault: str = self.mock.control("POST", f"/worlds/{self.world}/faults", body)["id"]
        return fault

    def generate(self, **options: Json) -> requests.Response:
        url = self.base_url + _GENERATE
        return requests.post(url, json=_PROMPT, headers=self.headers, timeout=10, **options)

    def jobs(self) -> int:
        return len(self.mock.control("GET", f"/worlds/{self.world}/jobs")["items"])

    def plan(self) -> str:
        """A plan with six scenes."""
        form = {"url": "https://example.com/page", "target_duration_sec": "30"}
        files = {name: (None, value) for name, value in form.items()}
        url = f"{self.base_url}/api/v1/documents/analyze"
        answer = requests.post(url, files=files, headers=self.headers, timeout=10)
        plan: str = answer.json()["plan"]["planId"]
        return plan


@pytest.fixture
def site(live: LiveMock) -> Site:
    # Time runs so fast that a stream of a minute takes some milliseconds.
    world = live.world(clock={"mode": "real", "speed": 20_000})
    ozor = world["providers"]["ozor"]
    key = {"X-API-Key": ozor["account"]["api_key"]}
    return Site(live, world["id"], ozor["base_url"], key, ozor["account"]["id"])


def test_http_error_comes_in_the_providers_shape_and_only_as_often_as_ordered(site: Site) -> None:
    site.order("http_error", times=2, attributes={"status": 503, "retry_after_s": 2})

    answers = [site.generate() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json() == {"detail": "Upstream failure (503)."}
    assert answers[0].headers["Retry-After"] == "2"
    assert answers[0].headers["X-Screentest-Reason"].startswith("fault:")
    assert site.jobs() == 1


def test_nth_leaves_the_first_requests_alone(site: Site) -> None:
    site.order("http_error", nth=2, attributes={"status": 500})

    assert [site.generate().status_code for _ in range(3)] == [200, 500, 200]


def test_fault_that_counts_calls_counts_those_that_end_before_it(site: Site) -> None:
    site.order("reset_peer", operation="generateVideo")
    site.order("http_error", operation="generateVideo", nth=2, counts="calls")
    site.order("malformed_json", operation="generateVideo", nth=2, counts="calls")

    with pytest.raises(requests.ConnectionError):
        site.generate()
    statuses = [site.generate().status_code for _ in range(2)]
    faults = site.mock.control("GET", f"/worlds/{site.world}/faults")["items"]

    assert statuses == [503, 200]
    # Both apply to the second call alone.
    assert [(it["type"], it["seen"], it["fired"]) for it in faults] == [
        ("reset_peer", 1, 1),
        ("http_error", 3, 1),
        ("malformed_json", 3, 1),
    ]


def test_fault_of_deliveries_counts_no_calls(site: Site) -> None:
    order = {"type": "webhook_drop", "counts": "calls"}

    refused = requests.post(
        f"{site.mock.url}/_screentest/worlds/{site.world}/faults", json=order, timeout=5
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "out_of_reach")


def test_error_after_the_commit_has_done_the_work(site: Site) -> None:
    """The double-charge case: a client that retries pays twice."""
    site.order("http_error", phase="after_commit", attributes={"status": 502})

    statuses = [site.generate().status_code, site.generate().status_code]

    assert statuses == [502, 200]
    assert site.jobs() == 2


@pytest.mark.parametrize(("phase", "jobs"), [("before", 0), ("after_commit", 1)])
def test_closed_connection_reaches_the_client_as_such(site: Site, phase: str, jobs: int) -> None:
    site.order("reset_peer", operation="generateVideo", phase=phase)

    with pytest.raises(requests.ConnectionError, match="without response"):
        site.generate()

    assert site.jobs() == jobs


@pytest.mark.parametrize("type_", ["reset_peer", "timeout"])
def test_not_a_byte_comes_before_the_connection_is_closed(site: Site, type_: str) -> None:
    """The head of an answer was out first about every second time."""
    site.order(type_, times=None, attributes={"delay_ms": 0} if type_ == "timeout" else {})

    came = {_bytes_until_the_end(f"{site.base_url}/api/v1/videos") for _ in range(30)}

    assert came == {b""}


def _bytes_until_the_end(url: str) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 5) as line:
        line.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        with line.makefile("rb") as read:
            return read.read()


def test_closed_connection_is_a_protocol_error_for_httpx(site: Site) -> None:
    site.order("reset_peer", operation="listVideos")

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{site.base_url}/api/v1/videos", headers=site.headers)


def test_latency_delays_the_answer_and_nothing_else(site: Site) -> None:
    site.order("latency", attributes={"delay_ms": 120})

    started = time.monotonic()
    answer = site.generate()

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.12


def test_timeout_gives_no_answer_at_all(site: Site) -> None:
    site.order("timeout", operation="generateVideo", attributes={"delay_ms": 600})

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(site.base_url + _GENERATE, json=_PROMPT, headers=site.headers, timeout=0.2)

    assert site.jobs() == 0


def test_body_may_end_before_its_promised_length(site: Site) -> None:
    site.order("limit_data", attributes={"bytes": 10})

    with pytest.raises(httpx.RemoteProtocolError, match="incomplete|without sending complete"):
        httpx.post(site.base_url + _GENERATE, json=_PROMPT, headers=site.headers)


def test_body_may_come_in_slices(site: Site) -> None:
    site.order("slicer", attributes={"size": 5})

    assert site.generate().json()["status"] == "pending"


def test_body_may_be_broken_json(site: Site) -> None:
    site.order("malformed_json")

    answer = site.generate()

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_body_may_be_empty(site: Site) -> None:
    site.order("empty")

    assert (site.generate().content, site.jobs()) == (b"", 1)


def test_content_type_may_be_wrong(site: Site) -> None:
    site.order("wrong_content_type", attributes={"content_type": "text/html"})

    assert site.generate().headers["Content-Type"] == "text/html"


def _stream(site: Site, plan: str, lines: list[str] | None = None) -> list[str]:
    """The `data:` lines of a plan's generation, until the stream ends; gathered in *lines*."""
    url = f"{site.base_url}/api/v1/documents/plans/{plan}/generate"
    lines = [] if lines is None else lines
    with httpx.stream("POST", url, headers=site.headers, timeout=10) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                lines.append(line)
    return lines


def test_stream_may_be_cut_while_the_job_goes_on(site: Site) -> None:
    plan = site.plan()
    site.order("stream_cut", operation="generatePlan", attributes={"after_events": 2})

    lines: list[str] = []
    with pytest.raises(httpx.RemoteProtocolError):
        _stream(site, plan, lines)
    site.mock.control("POST", f"/worlds/{site.world}/clock/advance", {"until": "idle"})

    read = requests.get(
        f"{site.base_url}/api/v1/documents/plans/{plan}", headers=site.headers, timeout=10
    )
    assert len(lines) == 2
    assert read.json()["plan"]["status"] == "generated"


def test_every_event_before_the_cut_reaches_a_client_that_reads_in_blocks(site: Site) -> None:
    """`requests` used to get none of them: what does not fill a block is lost at the break."""
    plan = site.plan()
    site.order("stream_cut", operation="generatePlan", attributes={"after_events": 3})
    url = f"{site.base_url}/api/v1/documents/plans/{plan}/generate"
    lines: list[str] = []

    with (
        pytest.raises(requests.exceptions.ChunkedEncodingError),
        requests.post(url, headers=site.headers, stream=True, timeout=10) as answer,
    ):
        lines.extend(answer.iter_lines(decode_unicode=True))

    assert len([it for it in lines if it.startswith("data: {")]) == 3


def test_stream_with_fewer_events_than_the_cut_waits_for_ends_cleanly(site: Site) -> None:
    plan = site.plan()
    fault = site.order("stream_cut", operation="generatePlan", attributes={"after_events": 10_000})

    lines = _stream(site, plan)

    (shown,) = site.mock.control("GET", f"/worlds/{site.world}/faults")["items"]
    assert '"step": "done"' in lines[-1]
    assert (shown["id"], shown["seen"], shown["fired"]) == (fault, 0, 0)


def test_stream_may_stall(site: Site) -> None:
    plan = site.plan()
    site.order("stream_stall", attributes={"after_events": 1, "stall_ms": 5_000})
    url = f"{site.base_url}/api/v1/documents/plans/{plan}/generate"

    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.stream("POST", url, headers=site.headers, timeout=0.4) as answer,
    ):
        list(answer.iter_lines())


def test_stream_may_end_in_an_error_event_and_costs_nothing_then(site: Site) -> None:
    plan = site.plan()
    attributes = {"after_events": 3, "reason": "TTS failed: voice service"}
    site.order("stream_error", operation="generatePlan", attributes=attributes)

    lines = _stream(site, plan)

    ledger = site.mock.control("GET", f"/worlds/{site.world}/accounts/{site.account}/ledger")
    assert len(lines) == 4
    assert '"step": "error", "detail": "TTS failed: voice service", "pct": -1' in lines[-1]
    assert (ledger["spent"], ledger["held"]) == (1, 0)


@pytest.mark.parametrize("at", [0.1, 0.5, 1.0])
def test_job_may_fail_at_any_part_of_its_way(site: Site, at: float) -> None:
    attributes = {"reason": "Content policy violation", "at": at}
    site.order("job_failure", operation="generateVideo", attributes=attributes)
    made = site.generate().json()

    site.mock.control("POST", f"/worlds/{site.world}/clock/advance", {"until": "idle"})

    job = site.mock.control("GET", f"/worlds/{site.world}/jobs/{made['jobId']}")
    ledger = site.mock.control("GET", f"/worlds/{site.world}/accounts/{site.account}/ledger")
    assert (job["state"], job["reason"]) == ("failed", "Content policy violation")
    assert (ledger["available"], ledger["spent"]) == (10, 0)


def test_retired_model_is_gone_for_calls_that_cost(site: Site) -> None:
    site.order("model_retired", times=None, attributes={"status": 410})

    listed = requests.get(f"{site.base_url}/api/v1/videos", headers=site.headers, timeout=10)

    assert (site.generate().status_code, listed.status_code) == (410, 200)


def test_probability_and_account_choose_whom_a_fault_meets(site: Site) -> None:
    other = site.mock.control("POST", f"/worlds/{site.world}/accounts", {"provider": "ozor"})
    where = {"provider": "ozor", "account": other["id"]}
    body = {"type": "http_error", "where": where, "times": None, "probability": 1.0}
    site.mock.control("POST", f"/worlds/{site.world}/faults", body)

    theirs = requests.get(
        f"{site.base_url}/api/v1/videos", headers={"X-API-Key": other["api_key"]}, timeout=10
    )

    assert (site.generate().status_code, theirs.status_code) == (200, 503)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"type": "http_eror"}, "did you mean 'http_error'?"),
        ({"type": "latency", "attributes": {"delay": 3}}, "did you mean 'delay_ms'?"),
        ({"type": "empty", "where": {"provider": "ozr"}}, "did you mean 'ozor'?"),
        ({"type": "empty", "phase": "after_comit"}, "did you mean 'after_commit'?"),
    ],
)
def test_wrong_order_is_refused_with_the_nearest_name(
    live: LiveMock, site: Site, body: Json, detail: str
) -> None:
    answer = requests.post(
        f"{live.url}/_screentest/worlds/{site.world}/faults", json=body, timeout=10
    )

    assert answer.status_code == 422
    assert detail in answer.json()["detail"]
