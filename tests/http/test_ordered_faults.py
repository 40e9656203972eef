"""The header `X-Screentest-Fault`: a fault for one request."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer
from tests.ozor.steps import GENERATE, VIDEOS


@pytest.fixture
def willing(ozor: Account) -> Account:
    """An account in a world that accepts the header."""
    world = ozor.world
    assert world.control.patch(world.path, json={"fault_header": True}).json()["fault_header"]
    return ozor


def _videos(account: Account, fault: str) -> Answer:
    return account.client.get(VIDEOS, headers={"X-Screentest-Fault": fault})


def _last(account: Account) -> Json:
    return account.world.requests()[-1]


def _faults(account: Account) -> Json:
    return account.world.control.get(f"{account.world.path}/faults").json()["items"]


def test_one_request_is_answered_by_the_fault_that_it_orders(willing: Account) -> None:
    ordered = _videos(willing, "http_error; status=503; retry_after_s=5")
    line = _last(willing)
    next_one = willing.client.get(VIDEOS)

    assert (ordered.status, ordered.headers["retry-after"]) == (503, "5")
    assert line["faults"] == [{"id": "fault_of_req_1", "type": "http_error"}]
    assert line["findings"] == []
    assert (next_one.status, _faults(willing)) == (200, [])


def test_work_is_done_before_a_fault_that_comes_after_it(willing: Account) -> None:
    header = {"X-Screentest-Fault": "http_error; phase=after_commit"}
    answer = willing.client.post(GENERATE, json={"prompt": "A lamp"}, headers=header)

    jobs = willing.world.control.get(f"{willing.world.path}/jobs").json()["items"]
    assert (answer.status, len(jobs)) == (503, 1)


def test_poll_that_orders_a_fault_is_not_answered_from_memory(willing: Account) -> None:
    statuses = [willing.client.get(VIDEOS).status for _ in range(3)]

    assert [*statuses, _videos(willing, "http_error; status=502").status] == [200, 200, 200, 502]


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("http_eror; status=503", "no fault type 'http_eror'; did you mean 'http_error'?"),
        ("http_error; status", "'status' is not NAME=VALUE"),
        ("http_error; stats=503", "no attribute of http_error 'stats'; did you mean 'status'?"),
        ("http_error; status=teapot", "attributes.status: expected integer, got string 'teapot'"),
        ("http_error; status=99", "attributes.status: "),
        ("http_error; phase=during_body", "http_error does not act in phase during_body"),
        ("stream_cut", "stream_cut cannot apply to"),
        ("webhook_drop", "webhook_drop cannot apply to"),
        ("", "no fault type ''"),
    ],
)
def test_header_that_is_no_fault_for_the_call_is_refused(
    willing: Account, header: str, detail: str
) -> None:
    answer = _videos(willing, header)

    body, (finding,) = answer.json(), _last(willing)["findings"]
    assert (answer.status, body["code"]) == (400, "invalid_fault")
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in body["detail"]
    assert finding["code"] == "SC114"
    assert finding["fix"].startswith(body["detail"])
    assert _faults(willing) == []


def test_fault_of_a_delivery_acts_after_the_answer(willing: Account) -> None:
    header = {"X-Screentest-Fault": "webhook_drop"}

    answer = willing.client.post(GENERATE, json={"prompt": "A lamp"}, headers=header)

    assert answer.status == 400


def test_fault_that_did_not_apply_is_reported_and_removed(willing: Account) -> None:
    stranger = {"X-Screentest-Fault": "http_error; phase=after_commit", "X-API-Key": "sk_live_0"}

    answer = willing.client.get(VIDEOS, headers=stranger)

    codes = [it["code"] for it in _last(willing)["findings"]]
    assert (answer.status, codes[-1], _faults(willing)) == (401, "SC114", [])


def test_header_changes_nothing_unless_the_world_accepts_it(ozor: Account) -> None:
    answer = _videos(ozor, "http_error; status=503")

    (finding,) = _last(ozor)["findings"]
    assert answer.status == 200
    assert (finding["code"], finding["severity"]) == ("SC114", "warning")
    assert finding["actual"] == "X-Screentest-Fault: http_error; status=503"
    assert '{"fault_header": true}' in finding["fix"]
