"""What the forms of the page do, seen through the control API."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld

from .visitor import Page, Visitor


@pytest.fixture
def job(ozor: Account) -> str:
    """A job that runs."""
    made = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).json()
    job_id: str = made["jobId"]
    return job_id


def _get(world: MockWorld, path: str) -> Json:
    return world.control.get(world.path + path).json()


@pytest.mark.parametrize(
    ("field", "value", "now"),
    [
        ("by_ms", "30000", "2026-01-01T00:00:30Z"),
        ("by_ms", "600000", "2026-01-01T00:10:00Z"),
        ("until", "idle", "2026-01-01T00:00:00Z"),
    ],
)
def test_the_clock_moves(
    visitor: Visitor, world: MockWorld, field: str, value: str, now: str
) -> None:
    after = visitor.submit(visitor.page("/jobs"), "advance", **{field: value})

    assert _get(world, "/clock")["now"] == now
    assert f"It is {now} in this world." in after.text


def test_the_clock_goes_to_the_next_event(visitor: Visitor, world: MockWorld, job: str) -> None:
    after = visitor.submit(visitor.page(), "advance", until="next")

    assert _get(world, f"/jobs/{job}")["state"] == "processing"
    assert "1 event on the way" in after.text


def test_the_mode_and_the_speed_of_the_clock_change(visitor: Visitor, world: MockWorld) -> None:
    visitor.submit(visitor.page(), "clock", mode="real", speed="20")

    clock = _get(world, "/clock")
    assert (clock["mode"], clock["speed"]) == ("real", 20.0)


def test_a_job_is_completed_and_another_fails_with_its_reason(
    visitor: Visitor, world: MockWorld, ozor: Account, job: str
) -> None:
    other = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A chair"}).json()["jobId"]

    visitor.submit(visitor.page(f"/jobs/{job}"), "job", outcome="completed")
    visitor.submit(visitor.page(f"/jobs/{other}"), "job", outcome="failed", reason="Too dark")

    assert _get(world, f"/jobs/{job}")["state"] == "completed"
    failed = _get(world, f"/jobs/{other}")
    assert (failed["state"], failed["reason"]) == ("failed", "Too dark")


def test_a_job_is_held_and_released(visitor: Visitor, world: MockWorld, job: str) -> None:
    held = visitor.submit(visitor.page(f"/jobs/{job}"), "job", held="yes")
    is_held = _get(world, f"/jobs/{job}")["held"]
    visitor.submit(held, "job", held="no")

    assert is_held
    assert not _get(world, f"/jobs/{job}")["held"]


def test_a_balance_of_zero_brings_a_402_that_is_explained(visitor: Visitor, ozor: Account) -> None:
    home = ozor.world.control.get(ozor.world.path).json()["providers"]["ozor"]["account"]["id"]
    page = visitor.page(f"/credits?account={home}")
    visitor.submit(page, "credits", credits="0")

    refused = visitor.submit(visitor.page(), "send", provider="ozor", example="promptOnly")

    assert "ozor answered 402" in refused.text
    assert "SC406" in refused.text


def test_a_fault_is_added_met_and_removed(
    visitor: Visitor, world: MockWorld, ozor: Account
) -> None:
    page = visitor.page("/faults?type=http_error")
    added = visitor.submit(
        page, "add-fault", operation="generateVideo", times="2", **{"attribute.status": "502"}
    )
    fault = _get(world, "/faults")["items"][0]
    status = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).status
    met = visitor.page("/faults")
    removed = visitor.submit(met, "remove-fault", fault=fault["id"])

    assert fault["attributes"]["status"] == status == 502
    assert (fault["times"], fault["where"]) == (2, {"operation": "generateVideo"})
    assert f"Added {fault['id']}" in added.text
    assert "Applied 1 of 2" in met.text
    assert f"{visitor.root}/requests/req_1" in met.addresses
    assert f"Removed {fault['id']}." in removed.text
    assert _get(world, "/faults")["items"] == []


def test_a_wrong_field_is_refused_in_the_words_of_the_control_api(
    visitor: Visitor, world: MockWorld
) -> None:
    page = visitor.page("/faults?type=http_error")
    after = visitor.submit(page, "add-fault", provider="ozr")

    assert "Not done: no provider 'ozr'; did you mean 'ozor'?" in after.text
    assert _get(world, "/faults")["items"] == []


def test_a_failed_delivery_is_sent_again(visitor: Visitor, world: MockWorld) -> None:
    page = visitor.page("/webhooks")
    shown = visitor.submit(page, "add-endpoint", provider="ugc_copilot", url="http://127.0.0.1:9/x")
    account = world.control.get(world.path).json()["providers"]["ugc_copilot"]["account"]["id"]
    visitor.submit(visitor.page(), "send", provider="ugc_copilot", example="wrapped")
    world.control.post(f"{world.path}/clock/advance", json={"until": "next"})
    world.advance(3_600_000)
    delivery = _get(world, "/webhooks/deliveries")["items"][0]

    after = visitor.submit(visitor.page("/webhooks"), "redeliver", delivery=delivery["id"])

    assert account
    assert "Its secret, shown this once: whsec_" in shown.text
    assert f"Sent {delivery['id']} again" in after.text
    attempts = _get(world, "/webhooks/deliveries")["items"][0]["attempts"]
    assert len(attempts) == len(delivery["attempts"]) + 1
    assert "Compute its HMAC-SHA256" in after.text


def test_a_world_is_made_kept_restored_reset_and_deleted(
    visitor: Visitor, world: MockWorld
) -> None:
    made = visitor.submit(visitor.page("/worlds"), "make-world", label="the second one", seed="9")
    other = made.form("/do/advance").action.split("/")[4]
    kept = visitor.submit(_place(visitor, other), "snapshot", name="first")
    restored = visitor.submit(kept, "restore", snapshot="first")
    reset = visitor.submit(_place(visitor, other), "reset-world")
    deleted = visitor.submit(_place(visitor, other), "delete-world")

    assert "the second one" in made.text
    assert "Took the snapshot first" in kept.text
    assert "is as it was in first" in restored.text
    assert "is as it was when it began" in reset.text
    assert f"Deleted {other}." in deleted.text
    assert world.control.get(f"/worlds/{other}").status == 404


def _place(visitor: Visitor, world_id: str) -> Page:
    """The page of worlds, with the forms of *world_id* alone."""
    page = Visitor(visitor.wsgi, world_id).page("/worlds")
    page.forms = [it for it in page.forms if f"/w/{world_id}/do/" in it.action]
    return page


def test_a_reading_is_chosen_for_this_world_alone(visitor: Visitor, world: MockWorld) -> None:
    page = visitor.page("/contracts/ozor")
    form = next(it for it in page.forms if it.fields.get("name") == "ozor.refusal_order")
    page.forms = [form]

    visitor.submit(page, "read", value="existence_first")

    assert _get(world, "/interpretations")["ozor.refusal_order"]["value"] == "existence_first"
    other = world.control.get("/worlds/default/interpretations").json()["ozor.refusal_order"]
    assert other["value"] == other["default"]


def test_a_form_without_its_token_changes_nothing(visitor: Visitor, world: MockWorld) -> None:
    visitor.page()

    answer = visitor.wsgi.post(f"{visitor.root}/do/advance", data={"by_ms": "30000"})

    assert answer.status_code == 403
    assert _get(world, "/clock")["now"] == "2026-01-01T00:00:00Z"
