"""What follows the end of a job, and files sent or fetched: what is wrong is found, no more."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc
from tests.znapai import steps as znapai_steps

from .receiver import receiving


@pytest.fixture
def ugc_copilot(world: MockWorld) -> Account:
    return world.account("ugc_copilot")


@pytest.fixture
def znapai(world: MockWorld) -> Account:
    return world.account("znapai")


def _codes(world: MockWorld) -> list[str]:
    """The codes of the findings that this module is about."""
    codes = [it["code"] for it in world.findings()]
    return [it for it in codes if it in {"SC217", "SC218", "SC219", "SC408"}]


def _found(world: MockWorld, code: str) -> Json:
    (found,) = world.findings(code=code)
    return found


# --- SC217: the same upload for each retry --------------------------------------------------------


def _update(ozor: Account, plan_id: str) -> int:
    body = {"scenes": ozor_steps.scenes(2)}
    return ozor.client.patch(ozor_steps.plan_path(plan_id), json=body).status


def test_upload_that_is_repeated_after_a_later_call_failed_is_found(ozor: Account) -> None:
    ozor.world.order_fault("http_error", where={"operation": "updatePlan"})
    plan = ozor_steps.analyze(ozor, file=ozor_steps.pdf())
    assert _update(ozor, plan["planId"]) == 503

    ozor_steps.analyze(ozor, file=ozor_steps.pdf())

    found = _found(ozor.world, "SC217")
    assert found["actual"] == (
        "the upload of req_1 again, after req_2 had failed: 1 credit paid again"
    )
    assert found["severity"] == "warning"
    assert found["where"]["id"] == "req_3"


def test_upload_that_is_repeated_without_a_failure_is_wanted(ozor: Account) -> None:
    for _ in range(2):
        plan = ozor_steps.analyze(ozor, file=ozor_steps.pdf())
        assert _update(ozor, plan["planId"]) == 200

    assert _codes(ozor.world) == []


def test_other_file_after_a_failure_is_another_upload(ozor: Account) -> None:
    ozor.world.order_fault("http_error", where={"operation": "updatePlan"})
    plan = ozor_steps.analyze(ozor, file=ozor_steps.pdf())
    assert _update(ozor, plan["planId"]) == 503

    ozor_steps.analyze(ozor, file=ozor_steps.pptx())

    assert _codes(ozor.world) == []


def test_failure_of_another_account_is_no_reason_to_upload_again(world: MockWorld) -> None:
    first, other = world.account("ozor"), world.account("ozor")
    ozor_steps.analyze(first, file=ozor_steps.pdf())
    world.order_fault("http_error", where={"account": other.id})
    assert other.client.get(ozor_steps.VIDEOS).status == 503

    ozor_steps.analyze(first, file=ozor_steps.pdf())

    assert _codes(world) == []


def test_upload_that_was_refused_itself_has_to_be_sent_again(ozor: Account) -> None:
    ozor.world.order_fault("http_error", where={"operation": "analyzeDocument"})
    with pytest.raises(AssertionError, match="503"):
        ozor_steps.analyze(ozor, file=ozor_steps.pdf())

    ozor_steps.analyze(ozor, file=ozor_steps.pdf())

    assert _codes(ozor.world) == []


# --- SC218: acted twice on one end ----------------------------------------------------------------


def _caption(account: Account, job: str, text: str = "Back in stock") -> None:
    """Lay a text over the video of *job*, under the URL of this moment."""
    uri = ugc.check(account, job)["response"]["generatedVideos"][0]["video"]["uri"]
    video = ugc.fetch(account, uri)["videoUrl"]
    body = {"videoUri": video, "overlays": [{"text": text, "position": "top"}]}
    ugc.accepted(account.client.post(ugc.OVERLAY, json=body))


def _ended(account: Account, url: str | None) -> str:
    """A render that has ended, and whose webhook *url* has taken."""
    if url is not None:
        order, world = {"provider": "ugc_copilot", "account": account.id, "url": url}, account.world
        assert world.control.post(f"{world.path}/webhooks/endpoints", json=order).status == 201
    job = ugc.start(account)
    account.world.advance_until_idle()
    return job


def test_same_paid_call_after_the_webhook_and_after_a_poll_is_found(ugc_copilot: Account) -> None:
    with receiving() as receiver:
        job = _ended(ugc_copilot, receiver.url)
        receiver.wait_for(1)
        _caption(ugc_copilot, job)
        ugc.check(ugc_copilot, job)

        _caption(ugc_copilot, job)

        found = _found(ugc_copilot.world, "SC218")
    first, second = (
        line["id"]
        for line in ugc_copilot.world.requests()
        if line["operation"] == "proxyApplyTextOverlay"
    )
    assert found["where"] | {"job": None} == {
        "kind": "payment",
        "id": second,
        "operation": "proxyApplyTextOverlay",
        "job": None,
        "attempt": None,
        "twin": first,
        "credits": 1,
    }
    assert found["actual"] == (
        f"{first} and {second} are the same, one after the webhook of {job} and one after a poll "
        "that showed its end: 1 credit paid twice"
    )


def test_two_texts_over_one_video_are_wanted(ugc_copilot: Account) -> None:
    with receiving() as receiver:
        job = _ended(ugc_copilot, receiver.url)
        receiver.wait_for(1)
        for text in ("Back in stock", "Only today"):
            _caption(ugc_copilot, job, text)
            ugc.check(ugc_copilot, job)

        assert _codes(ugc_copilot.world) == []


def test_same_call_twice_without_a_webhook_is_no_race(ugc_copilot: Account) -> None:
    job = _ended(ugc_copilot, None)
    for _ in range(2):
        _caption(ugc_copilot, job)

    assert _codes(ugc_copilot.world) == []


# --- SC219: broken downloads ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "attributes", "sent"),
    [
        ("limit_data", {"bytes": 900}, "the first 900 bytes of the body"),
        ("empty", {}, "no body"),
        ("garbage", {}, "64 bytes of garbage"),
    ],
)
def test_broken_download_that_is_not_repeated_is_found(
    znapai: Account, type_: str, attributes: Json, sent: str
) -> None:
    video = _download(znapai, type_, attributes)

    znapai_steps.read(znapai, video)

    found = _found(znapai.world, "SC219")
    assert found["actual"] == f"{sent} in req_3, and no download after it"
    assert found["severity"] == "warning"


def test_broken_download_is_found_once_the_client_is_silent(znapai: Account) -> None:
    _download(znapai, "empty", {})
    world = znapai.world

    counts: list[int] = []
    for by_ms in (60_000, 1):
        world.advance(by_ms)
        counts.append(len(world.findings(code="SC219", final="false")))

    assert counts == [0, 1]


def test_whole_download_after_a_broken_one_is_enough(znapai: Account) -> None:
    video = _download(znapai, "limit_data", {"bytes": 900})

    rest = znapai_steps.content(znapai, video, headers={"Range": "bytes=900-"})

    assert rest.status == 206
    assert _codes(znapai.world) == []


def test_download_under_another_content_type_is_whole(znapai: Account) -> None:
    _download(znapai, "wrong_content_type", {})

    assert _codes(znapai.world) == []


def _download(znapai: Account, type_: str, attributes: Json) -> str:
    """A video that was downloaded while a fault was in force."""
    video = _made(znapai)
    znapai.world.order_fault(type_, where={"operation": "downloadVideo"}, attributes=attributes)
    znapai_steps.content(znapai, video)
    return video


def _made(account: Account) -> str:
    """A video that has ended, and whose end its client has seen."""
    video = str(znapai_steps.create(account)["id"])
    account.world.advance_until_idle()
    znapai_steps.read(account, video)
    return video


@pytest.mark.parametrize(
    ("type_", "attributes", "sent"),
    [
        ("limit_data", {"bytes": 900}, "the first 900 bytes of the body"),
        ("empty", {}, "no body"),
        ("garbage", {}, "64 bytes of garbage"),
    ],
)
def test_broken_download_from_the_store_is_found_until_it_is_repeated(
    ozor: Account, type_: str, attributes: Json, sent: str
) -> None:
    url = ozor_steps.exported(ozor, ozor_steps.make_video(ozor))["downloadUrl"]
    whole = ozor.client.follow(url).content
    ozor.world.order_fault(type_, where={"file": "download"}, attributes=attributes)

    broken = ozor.client.follow(url).content

    line = ozor.world.requests()[-1]
    found = _found(ozor.world, "SC219")
    assert len(broken) < len(whole)
    assert (line["faults"][0]["type"], line["response"]["sent"]) == (type_, sent)
    assert found["actual"] == f"{sent} in {line['id']}, and no download after it"
    assert found["source"] == "https://www.ozor.ai/docs/api OZ-113"
    assert ozor.client.follow(url).content == whole
    assert _codes(ozor.world) == []


def test_fault_without_a_kind_of_file_leaves_the_store_alone(ozor: Account) -> None:
    url = ozor_steps.exported(ozor, ozor_steps.make_video(ozor))["downloadUrl"]
    ozor.world.order_fault("limit_data", attributes={"bytes": 5})

    assert ozor.client.follow(url).content[4:8] == b"ftyp"
    assert _codes(ozor.world) == []


@pytest.mark.parametrize(
    ("type_", "where", "detail"),
    [
        (
            "http_error",
            {"file": "download"},
            "http_error cannot apply to a stored file "
            "(it takes: limit_data, empty, garbage, slicer, wrong_content_type)",
        ),
        (
            "empty",
            {"file": "download", "operation": "getVideo"},
            "the download of a stored file has no operation, so it cannot be a condition",
        ),
        ("empty", {"file": "downlod"}, "no file 'downlod'; did you mean 'download'?"),
    ],
)
def test_fault_that_cannot_apply_to_a_file_is_refused(
    ozor: Account, type_: str, where: Json, detail: str
) -> None:
    answer = ozor.world.control.post(
        f"{ozor.world.path}/faults", json={"type": type_, "where": where}
    )

    assert answer.status == 422
    assert answer.json()["detail"].startswith(detail)


# --- SC408: keys sent with files ------------------------------------------------------------------


def test_key_with_a_download_is_found_once_and_kept_nowhere(ozor: Account) -> None:
    url = ozor_steps.exported(ozor, ozor_steps.make_video(ozor))["downloadUrl"]
    for _ in range(2):
        assert ozor.client.follow(url, headers=ozor.client.headers).status == 200

    found = _found(ozor.world, "SC408")
    assert (found["pointer"], found["severity"]) == ("/X-API-Key", "warning")
    assert found["source"] == "https://www.ozor.ai/docs/api OZ-113"
    assert ozor.api_key not in str(ozor.world.requests())


def test_bearer_token_with_a_signed_url_is_found(world: MockWorld) -> None:
    account = world.account("oshara")
    url = oshara.finished(account)["processed_video_url"]

    account.client.follow(url, headers=account.client.headers)

    assert _found(world, "SC408")["source"] == (
        "https://blog.oshara.ai/docs/video-rendering/jobs OS-043"
    )


def test_download_without_a_key_or_with_other_headers_is_right(ozor: Account) -> None:
    url = ozor_steps.exported(ozor, ozor_steps.make_video(ozor))["downloadUrl"]

    for headers in ({}, {"Range": "bytes=0-9", "Accept": "video/mp4"}):
        ozor.client.follow(url, headers=headers)

    assert _codes(ozor.world) == []
