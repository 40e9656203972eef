"""What can exist without having come through a provider's API, and what cannot."""

from __future__ import annotations

import re

import pytest

from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer, MockWorld
from tests.ozor import steps

_KINDS = [
    (provider, kind)
    for provider in shipped_contracts().names
    for kind in load_contract(provider).behaviour.resources
]


def _make(account: Account, kind: str, doc: Json = None) -> Answer:
    body = {"provider": account.provider, "kind": kind, "account": account.id}
    if doc is not None:
        body["doc"] = doc
    return account.world.control.post(f"{account.world.path}/resources", json=body)


def _call_everything(account: Account, id_: str) -> list[Answer]:
    """Every operation of the provider, on *id_* wherever it takes an id."""
    return [
        account.client.request(
            operation.method,
            re.sub(r"\{\w+\}", id_, operation.path),
            json={"message": "Make it blue"} if operation.method != "GET" else None,
        )
        for operation in load_contract(account.provider).operations.values()
    ]


@pytest.mark.parametrize(("provider", "kind"), _KINDS)
@pytest.mark.parametrize("doc", [None, {}, {"title": 3}, {"state": "x", "scenes": None}], ids=str)
def test_no_kind_leads_to_a_crash_later(
    world: MockWorld, provider: str, kind: str, doc: Json
) -> None:
    account = world.account(provider)

    made = _make(account, kind, doc)

    assert made.status in {201, 422}
    id_ = made.json()["id"] if made.status == 201 else "x" * 12
    _call_everything(account, id_)
    world.advance_until_idle()
    detail = [line.get("reason", "") for line in world.requests()]
    assert [it for it in detail if it.startswith("ours:")] == []


@pytest.mark.parametrize(
    ("provider", "kind", "possible"),
    [
        ("oshara", "video_job", "none"),
        ("ozor", "agent_job", "video"),
        ("ozor", "export", "video"),
        ("ozor", "plan", "video"),
        ("ozor", "share", "video"),
        ("ugc_copilot", "render", "none"),
        ("ulazai", "task", "none"),
        ("znapai", "video", "none"),
    ],
)
def test_what_runs_or_has_parts_comes_through_the_api_alone(
    world: MockWorld, provider: str, kind: str, possible: str
) -> None:
    refused = _make(world.account(provider), kind)

    assert (refused.status, refused.json()["code"]) == (422, "not_from_outside")
    assert refused.json()["detail"] == (
        f"a {kind!r} comes through the provider's API alone: call that "
        f"(made here can be: {possible})"
    )
    assert world.control.get(f"{world.path}/jobs").json()["items"] == []


@pytest.mark.parametrize(
    ("kind", "doc", "detail"),
    [
        ("vidoe", {}, "no kind 'vidoe'; did you mean 'video'?"),
        ("video", {"titel": "x"}, "no field 'titel'; did you mean 'title'?"),
        ("video", {"title": 3}, "doc.title: expected string, got integer 3"),
        ("video", {"title": ""}, "doc.title: expected at least 1 character, got 0"),
        ("video", {"createdVia": "fax"}, "doc.createdVia: expected one of 'web', 'api', got 'fax'"),
        ("video", {"revision": 1}, "doc.revision: expected 0, got 1"),
    ],
)
def test_fields_are_held_to_what_is_known_of_them(
    ozor: Account, kind: str, doc: Json, detail: str
) -> None:
    refused = _make(ozor, kind, doc)

    assert refused.status == 422
    assert refused.json()["detail"].startswith(detail)
    assert steps.list_videos(ozor) == []


def test_video_of_the_web_app_can_be_worked_on_like_any_other(ozor: Account) -> None:
    id_ = _make(ozor, "video", {"title": "From the browser"}).json()["id"]

    sent = steps.send_message(ozor, id_)
    ozor.world.advance_until_idle()

    assert steps.job(ozor, sent)["status"] == "completed"
    assert steps.video(ozor, id_)["title"] == "From the browser"
