"""A refused download is in the journal like every other refusal, with what to do about it."""

from __future__ import annotations

from screentest.specs.json_types import Json
from tests.mock_client import HOUR_MS, Account, MockWorld
from tests.ozor import steps


def last_line(world: MockWorld) -> Json:
    return world.requests()[-1]


def test_expired_address_is_reported_with_its_fix(world: MockWorld) -> None:
    ozor: Account = world.account("ozor")
    url = steps.exported(ozor, steps.make_video(ozor))["downloadUrl"]
    world.advance(25 * HOUR_MS)

    answer = ozor.client.follow(url)

    line = last_line(world)
    assert (answer.status, answer.headers["x-screentest-reason"]) == (403, "file")
    assert b"<Code>ExpiredToken</Code>" in answer.content
    assert (line["id"], line["response"]["status"]) == (
        answer.headers["x-screentest-request-id"],
        403,
    )
    assert line["request"]["path"].startswith("/_storage/")
    assert [(it["code"], it["fix"]) for it in line["findings"]] == [
        ("SC407", "read the resource again: it comes with a fresh URL")
    ]


def test_signature_is_cut_out_of_the_line(world: MockWorld) -> None:
    ozor = world.account("ozor")
    url: str = steps.exported(ozor, steps.make_video(ozor))["downloadUrl"]

    answer = ozor.client.follow(url.replace("ignature=", "ignature=0000"))

    line = last_line(world)
    assert answer.status == 403
    assert line["findings"][0]["code"] == "SC407"
    assert url.rpartition("ignature=")[2] not in line["request"]["query"]


def test_file_that_is_not_there_and_method_that_is_not_served(world: MockWorld) -> None:
    ozor = world.account("ozor")

    missing = ozor.client.request("GET", "/_storage/nothing.mp4")
    posted = ozor.client.request("POST", "/_storage/nothing.mp4")

    assert (missing.status, posted.status) == (404, 405)
    assert posted.headers["allow"] == "GET, HEAD"
    codes = [line["findings"][0]["code"] for line in world.requests()[-2:]]
    assert codes == ["SC404", "SC111"]


def test_download_that_is_served_leaves_no_line(world: MockWorld) -> None:
    ozor = world.account("ozor")
    url = steps.exported(ozor, steps.make_video(ozor))["downloadUrl"]
    before = len(world.requests())

    assert ozor.client.follow(url).status == 200
    assert len(world.requests()) == before
