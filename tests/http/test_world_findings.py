"""One list of all findings of a world, with filters and counts; and the sum over all worlds."""

from __future__ import annotations

from typing import Any

from screentest.mock_server.findings.world_findings import Verdict
from tests.mock_client import Account, MockWorld, make_world, make_wsgi
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc

from .receiver import receiving


def _make_some(world: MockWorld) -> None:
    """One finding about a request, one about a delivery, one about a payment."""
    account = world.account("ugc_copilot")
    with receiving() as receiver:
        receiver.script += [500]
        body = {"provider": "ugc_copilot", "account": account.id, "url": receiver.url}
        world.control.post(f"{world.path}/webhooks/endpoints", json=body)
        ugc.start(account)
        world.advance_until_idle()
    ozor = world.account("ozor")
    ozor_steps.generate(ozor)
    ozor.client.post(ozor_steps.GENERATE, json={"prompt": 7})
    world.advance_until_idle()


def test_findings_about_requests_deliveries_and_payments_are_in_one_list(world: MockWorld) -> None:
    _make_some(world)

    found = world.findings()

    assert [(it["code"], it["where"]["kind"], it["provider"]) for it in found] == [
        ("SC301", "delivery", "ugc_copilot"),
        ("SC102", "request", "ozor"),
        ("SC212", "payment", "ozor"),
    ]
    assert found[0]["where"] | {"job": None} == {
        "kind": "delivery",
        "id": "dlv_1",
        "operation": "proxyStartVideoGeneration",
        "job": None,
        "attempt": 1,
        "twin": None,
        "credits": None,
    }


def test_filters_choose_and_counts_count_what_they_choose(world: MockWorld) -> None:
    _make_some(world)
    path = f"{world.path}/findings"

    def asked(**query: object) -> Any:
        return world.control.get(path, query={"final": "true", **query}).json()

    late = asked()["items"][2]["at"]
    assert asked()["counts"] == {
        "error": 2,
        "warning": 1,
        "codes": {"SC102": 1, "SC212": 1, "SC301": 1},
    }
    assert [it["code"] for it in asked(severity="warning")["items"]] == ["SC212"]
    assert asked(severity="warning")["counts"]["codes"] == {"SC212": 1}
    assert [it["code"] for it in asked(kind="delivery")["items"]] == ["SC301"]
    assert [it["code"] for it in asked(provider="ozor")["items"]] == ["SC102", "SC212"]
    assert [it["code"] for it in asked(since=late)["items"]] == ["SC212"]
    assert asked(code="SC101") == {
        "items": [],
        "next_cursor": None,
        "counts": {"error": 0, "warning": 0, "codes": {}},
    }


def test_pages_follow_each_other(world: MockWorld) -> None:
    _make_some(world)
    codes: list[str] = []
    cursor: str | None = "0"

    while cursor is not None:
        query = {"final": "true", "limit": 2, "cursor": cursor}
        page = world.control.get(f"{world.path}/findings", query=query).json()
        codes += [it["code"] for it in page["items"]]
        cursor = page["next_cursor"]

    assert codes == ["SC301", "SC102", "SC212"]


def test_unknown_filters_are_refused_with_what_exists(world: MockWorld) -> None:
    path = f"{world.path}/findings"

    code = world.control.get(path, query={"code": "SC199"})
    kind = world.control.get(path, query={"kind": "payments"})

    assert (code.status, kind.status) == (422, 422)
    assert "no code 'SC199'" in code.json()["detail"]
    assert "payment" in kind.json()["detail"]


def test_verdict_counts_deliveries_and_payments_of_worlds_that_have_ended() -> None:
    wsgi = make_wsgi()
    app: Any = wsgi.application
    verdict: Verdict = app.extensions["screentest.verdict"]
    deleted, reset, alive = (make_world(wsgi) for _ in range(3))
    for world in (deleted, reset, alive):
        _make_some(world)

    deleted.control.delete(deleted.path)
    reset.control.post(f"{reset.path}/reset", json={})

    assert verdict.counts() == {("SC212", "warning"): 3, ("SC301", "error"): 3}


def test_request_findings_survive_from_a_plain_journal_line(ozor: Account) -> None:
    job = ozor_steps.generate(ozor)
    ozor_steps.job(ozor, job)
    ozor.world.advance(500)
    ozor_steps.job(ozor, job)

    assert [it["code"] for it in ozor.world.findings(kind="request")] == ["SC201"]


def test_advance_says_when_nothing_was_due(ozor: Account) -> None:
    def advanced() -> tuple[int, int, bool]:
        path = f"{ozor.world.path}/clock/advance"
        answer = ozor.world.control.post(path, json={"until": "idle"}).json()
        return len(answer["fired"]), answer["pending"], answer["next"] is None

    before = advanced()
    ozor_steps.generate(ozor)

    assert before == (0, 0, True)
    assert advanced()[0] > 0
    assert advanced() == (0, 0, True)
