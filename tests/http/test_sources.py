"""Every finding cites the provider's rule that was broken, and never more than three of them."""

from __future__ import annotations

import pytest
import yaml

from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld

OZOR = "/api/v1/videos/generate"
ULAZAI = "/api/v1/sora/generate/text-to-video/"
PICTURE = "/api/v1/sora/generate/image-to-video/"
OSHARA = "/api/video-jobs/"
UGC = "/proxyStartVideoGeneration"
SORA = {"model": "sora-2", "prompt": "A lamp"}
SCENE = {"engine": "sora", "scene": {"visualPrompt": "A lamp"}}

#: Provider, path, JSON body, and what the finding cites: a POST with a good key.
BODIES: list[tuple[str, str, Json, str]] = [
    ("ozor", OZOR, {}, "OZ-058"),
    ("ozor", OZOR, {"prompt": ""}, "OZ-059"),
    ("ozor", OZOR, {"prompt": "x" * 2001}, "OZ-060"),
    ("ozor", OZOR, {"prompt": 5}, "OZ-225"),
    ("ozor", OZOR, {"prompt": "A", "aspect": "1920x1080"}, "OZ-061"),
    ("ozor", OZOR, {"prompt": "A", "export": "yes"}, "OZ-063"),
    ("ozor", OZOR, {"prompt": "A", "exportQuality": "8k"}, "OZ-067"),
    ("ozor", OZOR, {"prompt": "A", "images": [{}]}, "OZ-217, OZ-220"),
    ("ozor", OZOR, {"prompt": "A", "duration": 8}, "A13"),
    ("ozor", "/api/v1/documents/analyze", {"url": "https://x.example/"}, "OZ-158"),
    ("znapai", "/v1/videos", {"prompt": "A"}, "ZN-004"),
    ("znapai", "/v1/videos", {"model": "sora-2"}, "ZN-007"),
    ("znapai", "/v1/videos", {**SORA, "model": "sora-1"}, "ZN-006"),
    ("znapai", "/v1/videos", {**SORA, "seconds": 4}, "ZN-010"),
    ("znapai", "/v1/videos", {**SORA, "seconds": "5"}, "ZN-014"),
    ("znapai", "/v1/videos", {**SORA, "duration": "4"}, "ZN-025"),
    ("znapai", "/v1/videos", {**SORA, "size": "1920x1080"}, "ZN-020, ZN-027"),
    ("znapai", "/v1/videos", {**SORA, "aspect_ratio": "16:9"}, "Z18"),
    ("znapai", "/v1/videos", {**SORA, "metadata": "none"}, "ZN-023, ZN-024"),
    ("ulazai", ULAZAI, {}, "UL-006"),
    ("ulazai", ULAZAI, {"prompt": 5}, "UL-007"),
    ("ulazai", ULAZAI, {"prompt": "x" * 5001}, "UL-008, UL-009"),
    ("ulazai", ULAZAI, {"prompt": "A", "aspect_ratio": "16:9"}, "UL-013, L14"),
    ("ulazai", ULAZAI, {"prompt": "A", "quality": "hq"}, "UL-017"),
    ("ulazai", ULAZAI, {"prompt": "A", "prompt_directory_optin": 1}, "UL-019"),
    ("ulazai", ULAZAI, {"prompt": "A", "seconds": 8}, "L24"),
    ("ulazai", PICTURE, {"prompt": "A"}, "UL-034"),
    ("oshara", OSHARA, {"title": "A"}, "OS-006, S13"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "engine": "runway"}}, "UG-012"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "quality": "4k"}}, "UG-013"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "duration": "8"}}, "UG-014"),
    ("ugc_copilot", UGC, {**SCENE, "duration": "8"}, "UG-014"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "aspectRatio": "1920x1080"}}, "UG-018, U13"),
    ("ugc_copilot", UGC, {"data": {"engine": "sora", "scene": {}}}, "UG-019"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "isFaceless": "no"}}, "U35"),
    ("ugc_copilot", UGC, {"data": {**SCENE, "size": "1280x720"}}, "U29"),
]


def _cited(world: MockWorld) -> list[str]:
    """The clause ids of each finding of the newest request."""
    sources = [it["source"] for it in world.requests()[-1]["findings"]]
    return [source.partition(" ")[2] for source in sources]


@pytest.mark.parametrize(("provider", "path", "body", "clauses"), BODIES)
def test_broken_body_cites_the_rule_of_its_field(
    world: MockWorld, provider: str, path: str, body: Json, clauses: str
) -> None:
    world.account(provider).client.post(path, json=body)

    assert _cited(world) == [clauses]


@pytest.mark.parametrize(
    ("form", "clauses"),
    [
        ({"text_content": "Hello"}, ["OS-007", "OS-009"]),
        ({"title": "A"}, ["OS-008", "OS-009"]),
        ({"title": "A", "text_content": "A", "avatar": "A"}, ["OS-010, OS-011, OS-012"]),
        ({"title": "A", "text_content": "A", "reference_voice": "x"}, ["OS-009", "OS-017, OS-019"]),
    ],
)
def test_broken_form_cites_the_rule_of_each_field(
    world: MockWorld, form: dict[str, str], clauses: list[str]
) -> None:
    world.account("oshara").client.post(OSHARA, form=form)

    assert sorted(_cited(world)) == clauses


#: Provider, method and path, and what a call without a key and one with a wrong key cite.
KEYS = [
    ("ozor", "POST", OZOR, "OZ-031", "OZ-032"),
    ("ozor", "GET", "/api/api-keys", "OZ-012", "OZ-013"),
    ("znapai", "GET", "/v1/videos", "ZN-054", "ZN-055"),
    ("ulazai", "POST", ULAZAI, "UL-002, UL-003", "UL-004"),
    ("oshara", "GET", OSHARA, "OS-002, OS-003", "OS-004"),
    ("ugc_copilot", "POST", UGC, "UG-003, UG-005", "UG-003, UG-006"),
]


@pytest.mark.parametrize(("provider", "method", "path", "missing", "unknown"), KEYS)
def test_refused_key_cites_who_may_come_in(
    world: MockWorld, provider: str, method: str, path: str, missing: str, unknown: str
) -> None:
    client = world.anonymous(provider)

    client.request(method, path)
    without_key = _cited(world)
    client.request(
        method, path, headers={"X-API-Key": "unknown", "Authorization": "Bearer unknown"}
    )

    assert (without_key, _cited(world)) == ([missing], [unknown])


#: Provider, method, path, and what is cited where nothing is found at it.
NOWHERE = [
    ("ozor", "GET", "/nowhere", "OZ-001"),
    # The document says nothing about other methods.
    ("ozor", "PUT", "/api/v1/videos", ""),
    ("ozor", "GET", "/api/v1/videos/zzzzzzzzzzzz", "OZ-091"),
    ("ozor", "GET", "/api/v1/videos/zzzzzzzzzzzz/jobs/job_aaaaaaaaaaaa", "OZ-143, OZ-144"),
    ("ozor", "GET", "/api/v1/documents/plans/plan_000000000000", "OZ-185"),
    ("znapai", "GET", "/nowhere", "ZN-001"),
    ("znapai", "GET", "/v1/videos/none", "Z5"),
    ("ulazai", "GET", "/api/v1/sora/status/sra_2_0000000000000000/", "UL-072, UL-073"),
    ("ulazai", "GET", "/api/v1/sora/status/sra_2_0000000000000000", "UL-001, L23"),
    ("oshara", "GET", "/api/video-jobs/9/", "OS-060, OS-061"),
    ("oshara", "GET", "/api/video-jobs", "OS-001"),
    ("oshara", "DELETE", OSHARA, "S17"),
    ("ugc_copilot", "POST", "/proxyNothing", "UG-001"),
    ("ugc_copilot", "GET", UGC, ""),
]


@pytest.mark.parametrize(("provider", "method", "path", "clauses"), NOWHERE)
def test_what_is_not_there_cites_what_there_is(
    world: MockWorld, provider: str, method: str, path: str, clauses: str
) -> None:
    world.account(provider).client.request(method, path)

    assert _cited(world) == [clauses]


@pytest.mark.parametrize(
    ("provider", "path", "body", "clauses"),
    [
        ("ozor", OZOR, {"prompt": "A"}, "OZ-047"),
        ("ulazai", ULAZAI, {"prompt": "A"}, "UL-062"),
        ("ugc_copilot", UGC, SCENE, "UG-078, UG-088"),
    ],
)
def test_empty_balance_cites_the_rule_about_money(
    world: MockWorld, provider: str, path: str, body: Json, clauses: str
) -> None:
    world.account(provider, credits=0).client.post(path, json=body)

    assert _cited(world) == [clauses]


def test_state_and_owner_cite_the_rules_of_their_operation(ozor: Account) -> None:
    plan = ozor.client.post(
        "/api/v1/documents/analyze", form={"url": "https://example.com/"}
    ).json()["plan"]
    path = f"/api/v1/documents/plans/{plan['planId']}"

    ozor.world.account("ozor").client.get(path)
    foreign = _cited(ozor.world)
    ozor.client.post(f"{path}/generate")
    ozor.client.patch(path, json={"scenes": plan["scenes"]})

    assert (foreign, _cited(ozor.world)) == (["OZ-185"], ["OZ-188, OZ-189"])


def test_rate_window_and_cap_cite_their_own_clause(world: MockWorld) -> None:
    account = world.account("ugc_copilot", credits=100_000, tier="starter")

    for _ in range(4):
        account.client.post(UGC, json=SCENE)
    capped = _cited(world)[:1]
    for _ in range(8):
        account.client.post(UGC, json=SCENE)

    assert (capped, _cited(world)[:1]) == (["UG-068"], ["UG-060"])


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_whatever_is_cited_exists(provider: str) -> None:
    contract = load_contract(provider)
    rules = contract.behaviour
    clauses = yaml.safe_load((contract.folder / "clauses.yaml").read_text(encoding="utf-8"))
    known = {*clauses, *(it.id for it in rules.interpretations.values())}

    assert rules.cites.all() - known == set()
    assert rules.cites.operations.keys() - rules.operations.keys() == set()


#: The rules of the first two name their own source; of the last no finding is made.
_NOT_LISTED = {"rate_limited", "too_many_running", "failed"}


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_every_reason_of_refusal_is_cited_or_said_to_be_undocumented(provider: str) -> None:
    rules = load_contract(provider).behaviour

    listed = rules.cites.reasons.keys() | _NOT_LISTED

    assert rules.refusals.keys() - listed == set()


@pytest.mark.parametrize(
    "provider", [it for it in shipped_contracts().names if it != "ugc_copilot"]
)
def test_every_documented_field_has_its_clause(provider: str) -> None:
    """UGC Copilot's page names few fields; the others rest on the whole of its specification."""
    contract = load_contract(provider)

    silent = [
        f"{operation.id} {name}"
        for operation in contract.operations.values()
        for schema in operation.bodies.values()
        for name in schema.fields.named
        if not any(
            contract.behaviour.cites.of_field(operation.id, f"/{name}", keyword)
            for keyword in ("type", "required", "maxLength")
        )
    ]

    # Its fields are documented, and each of them has its clause; the object around them is not.
    assert silent == (["updatePlan voiceSettings"] if provider == "ozor" else [])
