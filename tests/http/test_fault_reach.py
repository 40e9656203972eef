"""A fault that cannot apply is refused when it is injected; one that did nothing has not fired."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld

_VIDEO = {"model": "sora-2", "prompt": "A cat"}


def _order(world: MockWorld, type_: str, **more: Json) -> Json:
    answer = world.control.post(f"{world.path}/faults", json={"type": type_, **more})
    assert answer.status == 201, answer.text
    return answer.json()


def _refusal(world: MockWorld, type_: str, **more: Json) -> tuple[str, str]:
    answer = world.control.post(f"{world.path}/faults", json={"type": type_, **more})
    assert answer.status == 422, answer.text
    detail = answer.json()
    return detail["code"], detail["detail"]


def _counts(world: MockWorld) -> list[tuple[int, int]]:
    items = world.control.get(f"{world.path}/faults").json()["items"]
    return [(it["seen"], it["fired"]) for it in items]


@pytest.mark.parametrize(
    ("type_", "phase", "detail"),
    [
        ("http_error", "during_body", "before, after_commit"),
        ("reset_peer", "during_body", "before, after_commit"),
        ("timeout", "during_body", "before, after_commit"),
        ("latency", "after_commit", "before"),
        ("limit_data", "before", "during_body"),
        ("slicer", "after_commit", "during_body"),
        ("empty", "before", "during_body"),
        ("stream_cut", "before", "during_body"),
        ("job_failure", "after_commit", "before"),
        ("model_retired", "during_body", "before"),
        ("webhook_drop", "after_commit", "before"),
    ],
)
def test_phase_in_which_a_fault_does_not_act_is_refused(
    world: MockWorld, type_: str, phase: str, detail: str
) -> None:
    refused = _refusal(world, type_, phase=phase)

    assert refused == (
        "out_of_reach",
        f"{type_} does not act in phase {phase} (it acts in: {detail})",
    )


@pytest.mark.parametrize(
    "type_", ["limit_data", "slicer", "malformed_json", "wrong_content_type", "empty"]
)
def test_body_of_a_stream_cannot_be_spoilt(world: MockWorld, type_: str) -> None:
    code, detail = _refusal(world, type_, where={"provider": "ozor", "operation": "generatePlan"})

    assert code == "out_of_reach"
    assert detail.startswith(
        f"{type_} cannot apply to provider=ozor operation=generatePlan (it can"
    )


def test_account_of_another_provider_is_refused(ozor: Account) -> None:
    refused = _refusal(ozor.world, "job_failure", where={"provider": "znapai", "account": ozor.id})

    assert refused[0] == "out_of_reach"
    assert f"job_failure cannot apply to provider=znapai account={ozor.id}" in refused[1]


def test_event_means_nothing_to_a_call(world: MockWorld) -> None:
    refused = _refusal(world, "http_error", where={"event": "video.completed"})

    assert refused == (
        "out_of_reach",
        "http_error does not apply to deliveries, so event cannot be a condition",
    )


def test_fault_that_would_never_be_lucky_is_refused(world: MockWorld) -> None:
    refused = _refusal(world, "http_error", probability=0)

    assert refused == ("invalid_field", "probability: expected more than 0, got 0")


def test_attribute_of_another_type_is_refused_with_a_stable_code(world: MockWorld) -> None:
    refused = _refusal(world, "http_error", attributes={"delay_ms": 3})

    assert refused == (
        "unknown_attribute",
        "no attribute of http_error 'delay_ms' (there are: body, retry_after_s, status)",
    )


def test_body_fault_waits_for_an_answer_with_a_body_that_it_can_spoil(world: MockWorld) -> None:
    znapai = world.account("znapai")
    video = znapai.client.post("/v1/videos", json=_VIDEO).json()["id"]
    world.advance_until_idle()
    _order(world, "malformed_json", where={"provider": "znapai"})

    film = znapai.client.get(f"/v1/videos/{video}/content")

    assert (film.status, _counts(world)) == (200, [(0, 0)])


@pytest.mark.parametrize("attributes", [{"bytes": 10_000}, {"size": 10_000}])
def test_body_that_is_shorter_than_the_limit_is_not_struck(ozor: Account, attributes: Json) -> None:
    type_ = "limit_data" if "bytes" in attributes else "slicer"
    _order(ozor.world, type_, attributes=attributes)

    ozor.client.get("/api/v1/videos")

    assert _counts(ozor.world) == [(0, 0)]


def test_error_after_the_commit_waits_for_a_call_that_is_granted(ozor: Account) -> None:
    _order(ozor.world, "http_error", phase="after_commit", attributes={"status": 502})

    refused = ozor.client.post("/api/v1/videos/generate", json={})
    counted = _counts(ozor.world)
    broken = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})

    assert (refused.status, counted) == (400, [(0, 0)])
    assert (broken.status, _counts(ozor.world)) == (502, [(1, 1)])


def test_stream_fault_waits_for_a_stream(ozor: Account) -> None:
    _order(ozor.world, "stream_cut")

    missing = ozor.client.post("/api/v1/documents/plans/plan_none/generate")

    assert (missing.status, _counts(ozor.world)) == (404, [(0, 0)])


def test_lost_call_leaves_its_other_faults_for_the_next(ozor: Account) -> None:
    _order(ozor.world, "http_error")
    _order(ozor.world, "reset_peer")

    ozor.client.get("/api/v1/videos")

    assert _counts(ozor.world) == [(0, 0), (1, 1)]


def test_retired_model_strikes_calls_for_that_model_alone(world: MockWorld) -> None:
    """A model's name in a prompt does not count, and a call for another model uses up no fault."""
    ugc = world.account("ugc_copilot", credits=1_000)
    _order(world, "model_retired", attributes={"model": "veo"})

    def start(engine: str) -> int:
        body = {"engine": engine, "visualPrompt": "veo", "scriptText": "veo", "duration": 8}
        return ugc.client.post("/proxyStartVideoGeneration", json=body).status

    assert (start("seedance"), _counts(world)) == (200, [(0, 0)])
    assert (start("veo"), _counts(world)) == (410, [(1, 1)])


def test_retired_model_is_found_in_the_video_that_is_remixed(world: MockWorld) -> None:
    znapai = world.account("znapai", credits=1_000)
    video = znapai.client.post("/v1/videos", json=_VIDEO).json()["id"]
    world.advance_until_idle()
    _order(world, "model_retired", attributes={"model": "sora-2"})

    refused = znapai.client.post(f"/v1/videos/{video}/remix", json={"prompt": "A dog"})

    assert refused.status == 410
    assert "The model 'sora-2' has been retired." in refused.json()["error"]["message"]


def test_undocumented_model_is_refused_with_the_documented_ones(world: MockWorld) -> None:
    where = {"provider": "znapai"}

    refused = _refusal(world, "model_retired", where=where, attributes={"model": "sora-3"})

    assert refused == (
        "unknown_model",
        "no model 'sora-3'; did you mean 'sora-2'? (there are: sora-2)",
    )


def test_model_is_refused_where_calls_name_none(world: MockWorld) -> None:
    where = {"provider": "ozor"}

    refused = _refusal(world, "model_retired", where=where, attributes={"model": "sora-2"})

    assert refused == (
        "out_of_reach",
        "these calls do not name a model, so 'sora-2' would never match; "
        "omit model to retire the one that they use",
    )
