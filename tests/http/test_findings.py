"""The journal explains every refusal: a code, what was expected, a fix, and the provider's rule."""

from __future__ import annotations

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld, make_world

ULAZAI_TEXT = "/api/v1/sora/generate/text-to-video/"
UGC_SCENE = {"visualPrompt": "A lamp"}
UGC_BODY = {"data": {"engine": "sora", "scene": UGC_SCENE}}


def _last(world: MockWorld) -> Json:
    return world.requests()[-1]


def test_value_of_the_wrong_type_is_explained_with_the_right_spelling(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "seconds": 4}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["findings"][0]
    assert finding["code"] == "SC102"
    assert finding["pointer"] == "/seconds"
    assert finding["fix"] == 'send it as text: "seconds": "4"'
    assert finding["source"].startswith("https://")
    assert "ZN-" in finding["source"]


def test_unknown_field_names_what_it_is_called_here(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "duration": 4}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["findings"][0]
    assert (finding["code"], finding["pointer"]) == ("SC103", "/duration")
    assert (finding["actual"], finding["fix"]) == ("4", 'did you mean "seconds": "4"?')


@pytest.mark.parametrize(
    ("field", "fix"),
    [
        ("secs", 'did you mean "seconds": "4"?'),
        ("resolution", "did you mean 'size'?"),
        ("colour", "leave 'colour' out"),
    ],
)
def test_refused_unknown_field_gets_the_likely_name(world: MockWorld, field: str, fix: str) -> None:
    body = {"model": "sora-2", "prompt": "A lamp", field: "4"}

    world.account("znapai").client.post("/v1/videos", json=body)

    assert [(it["code"], it["fix"]) for it in _last(world)["findings"]] == [("SC103", fix)]


ZNAPAI = {"model": "sora-2", "prompt": "A lamp"}


@pytest.mark.parametrize(
    ("provider", "path", "body", "fix"),
    [
        (
            "znapai",
            "/v1/videos",
            {**ZNAPAI, "aspect_ratio": "16:9"},
            'did you mean "size": "1280x720"?',
        ),
        (
            "znapai",
            "/v1/videos",
            {**ZNAPAI, "size": "1920x1080"},
            "did you mean '1280x720'? (one of '720x1280', '1280x720', '1024x1792', '1792x1024')",
        ),
        ("znapai", "/v1/videos", {**ZNAPAI, "model": "sora2"}, "send 'sora-2'"),
        ("znapai", "/v1/videos", {**ZNAPAI, "seconds": "5"}, "send one of '4', '8', '12'"),
        (
            "ozor",
            "/api/v1/videos/generate",
            {"prompt": "A", "aspect": "1920x1080"},
            "did you mean '16:9'? (one of '16:9', '9:16')",
        ),
        (
            "ozor",
            "/api/v1/videos/generate",
            {"prompt": "A", "export": "true"},
            'send it without quotation marks: "export": true',
        ),
        (
            "ulazai",
            "/api/v1/sora/generate/text-to-video/",
            {"prompt": "A", "aspect_ratio": "9:16"},
            "did you mean 'portrait'? (one of 'landscape', 'portrait', 'square')",
        ),
        (
            "ulazai",
            "/api/v1/sora/generate/text-to-video/",
            {"prompt": 5},
            'send it as text: "prompt": "5"',
        ),
        (
            "ugc_copilot",
            "/proxyStartVideoGeneration",
            {"engine": "sora", "visualPrompt": "A", "duration": "8"},
            'send it as a number: "duration": 8',
        ),
        (
            "ugc_copilot",
            "/proxyStartVideoGeneration",
            {"engine": "sora", "visualPrompt": "A", "size": "1080x1920"},
            'did you mean "aspectRatio": "9:16"?',
        ),
        (
            "ugc_copilot",
            "/proxyStartVideoGeneration",
            {"engine": "sora", "visualPrompt": "A", "duration": "long"},
            "send a number",
        ),
        (
            "oshara",
            "/api/video-jobs/",
            {"title": "A"},
            "send the fields as a form, and let the HTTP client set Content-Type with its boundary",
        ),
    ],
)
def test_fix_says_what_to_send_in_the_fields_of_this_provider(
    world: MockWorld, provider: str, path: str, body: Json, fix: str
) -> None:
    world.account(provider).client.post(path, json=body)

    assert [it["fix"] for it in _last(world)["findings"]] == [fix]


def test_text_in_an_unknown_field_is_not_repeated(world: MockWorld) -> None:
    body = {**ZNAPAI, "duration": "hunter2"}

    world.account("znapai").client.post("/v1/videos", json=body)

    finding = _last(world)["findings"][0]
    assert (finding["actual"], finding["fix"]) == ("a text", "did you mean 'seconds'?")


@pytest.mark.parametrize(
    ("owner", "detail"),
    [("ozor", "a key of Ozor in this world"), ("", "a key that this mock did not make")],
)
def test_key_of_another_provider_is_reported_with_that_provider(
    world: MockWorld, owner: str, detail: str
) -> None:
    key = world.account(owner).api_key if owner else "nothing"

    world.anonymous("znapai").get("/v1/videos", headers={"Authorization": f"Bearer {key}"})

    finding = _last(world)["findings"][0]
    assert (finding["expected"], finding["actual"]) == ("a key of ZnapAI in this world", detail)


def test_key_of_another_world_is_reported_as_such(world: MockWorld, wsgi: WsgiClient) -> None:
    key = make_world(wsgi).account("znapai").api_key

    world.anonymous("znapai").get("/v1/videos", headers={"Authorization": f"Bearer {key}"})

    assert _last(world)["findings"][0]["actual"] == "a key of ZnapAI in another world"


def test_undocumented_size_lists_the_sizes(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "size": "1920x1080"}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["findings"][0]
    assert finding["code"] == "SC108"
    assert "1280x720" in finding["fix"]


def test_unknown_route_names_the_nearest(ozor: Account) -> None:
    answer = ozor.client.post("/api/v1/vidoes/generate", json={"prompt": "A lamp"})

    line = _last(ozor.world)
    assert answer.status == 404
    assert line["near_misses"][0] == "POST /api/v1/videos/generate"
    assert line["findings"][0]["code"] == "SC110"
    assert line["findings"][0]["fix"] == "did you mean POST /api/v1/videos/generate?"


@pytest.mark.parametrize(
    ("provider", "call", "near"),
    [
        ("znapai", "POST /api/v1/videos/generate", "POST /api/v1/videos/generate of Ozor"),
        ("ozor", "POST /v1/videos", "POST /v1/videos of ZnapAI"),
        ("ozor", "POST /v1/videos/generate", "POST /api/v1/videos/generate"),
        ("ozor", "GET /api/v1/video/k3v9x2m7q4ab", "GET /api/v1/videos/{videoId}"),
        ("ozor", "GET /proxyFetchVideo", "POST /proxyFetchVideo of UGC Copilot"),
        (
            "ulazai",
            "POST /sora/generate/text-to-video/",
            "POST /api/v1/sora/generate/text-to-video/",
        ),
        ("znapai", "GET /v1/video/video_1", "GET /v1/videos/{video_id}"),
    ],
)
def test_call_of_another_provider_names_that_provider(
    world: MockWorld, provider: str, call: str, near: str
) -> None:
    method, path = call.split()
    world.account(provider).client.request(method, path)

    line = _last(world)
    assert line["near_misses"][0] == near
    assert line["findings"][0]["fix"] == f"did you mean {near}?"


def test_path_that_looks_like_nothing_has_no_near_miss(ozor: Account) -> None:
    ozor.client.get("/foo/bar")

    assert _last(ozor.world)["near_misses"] == []


@pytest.mark.parametrize(
    ("provider", "call", "near"),
    [
        ("ozor", "PUT /api/v1/videos", ["GET /api/v1/videos", "GET /api/v1/videos/{videoId}"]),
        (
            "ozor",
            "GET /api/v1/videos/generate",
            ["POST /api/v1/videos/generate", "GET /api/v1/videos/{videoId}"],
        ),
        ("oshara", "GET /api/video-jobs", ["GET /api/video-jobs/"]),
        ("oshara", "POST /api/video-jobs/", ["POST /api/video-jobs/ with multipart/form-data"]),
    ],
)
def test_wrong_method_spelling_and_content_type_have_near_misses_too(
    world: MockWorld, provider: str, call: str, near: list[str]
) -> None:
    method, path = call.split()
    world.account(provider).client.request(
        method, path, json={"title": "A"} if method == "POST" else None
    )

    assert _last(world)["near_misses"][: len(near)] == near


def test_wrong_auth_scheme_is_recognised(world: MockWorld) -> None:
    account = world.account("ozor")

    world.anonymous("ozor").get(
        "/api/v1/videos", headers={"Authorization": f"Bearer {account.api_key}"}
    )

    finding = _last(world)["findings"][0]
    assert finding["code"] == "SC104"
    assert finding["expected"] == "X-API-Key: KEY"
    assert finding["actual"] == "Authorization: Bearer …"


def test_missing_trailing_slash_is_recognised(world: MockWorld) -> None:
    account = world.account("oshara")

    answer = account.client.get("/api/video-jobs")

    assert answer.status == 301
    assert _last(world)["findings"][0]["code"] == "SC112"


def _code_and_values(finding: Json) -> tuple[str, str, str]:
    return finding["code"], finding["expected"], finding["actual"]


def test_unknown_id_is_reported_with_the_kind_of_resource(
    ozor: Account,
) -> None:
    ozor.client.get("/api/v1/videos/nothing")

    finding = _last(ozor.world)["findings"][0]
    assert _code_and_values(finding) == ("SC404", "a Video of this account", "nothing")
    assert finding["fix"] == (
        "check the id: a deleted resource, or one of another account or world, is not found either"
    )


def test_resource_of_another_account_is_reported_as_such(ozor: Account) -> None:
    made = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).json()
    stranger = ozor.world.account("ozor")

    stranger.client.get(f"/api/v1/videos/{made['videoId']}")

    finding = _last(ozor.world)["findings"][0]
    assert _code_and_values(finding) == (
        "SC401",
        "a Video of this key's account",
        f"{made['videoId']} of another account",
    )
    assert finding["fix"] == "use a key of the account that made it"


def test_reused_idempotency_key_is_reported_with_its_fix(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    key = {"Idempotency-Key": "one"}
    other = {"data": {"engine": "sora", "scene": {"visualPrompt": "A chair"}}}

    account.client.post("/proxyStartVideoGeneration", json=UGC_BODY, headers=key)
    account.client.post("/proxyStartVideoGeneration", json=other, headers=key)

    finding = _last(world)["findings"][0]
    assert _code_and_values(finding) == (
        "SC208",
        "the request that first had this Idempotency-Key",
        "another one",
    )
    assert finding["fix"] == "make a new key for every new request"


def test_refused_content_is_reported_in_the_words_of_the_refusal(ozor: Account) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "[[screentest:reject=blood]]"})

    finding = _last(ozor.world)["findings"][0]
    assert _code_and_values(finding) == (
        "SC113",
        "content that the provider allows",
        "a refusal: blood",
    )


def test_invalid_json_body_is_reported_with_the_place(ozor: Account) -> None:
    ozor.client.post(
        "/api/v1/videos/generate", raw=b"{", headers={"Content-Type": "application/json"}
    )

    code, expected, actual = _code_and_values(_last(ozor.world)["findings"][0])
    assert (code, expected) == ("SC106", "a readable body")
    assert actual.startswith("this: ")
    assert "line 1" in actual


def test_refused_content_type_is_reported_with_the_header_to_send(ozor: Account) -> None:
    ozor.client.post(
        "/api/v1/videos/generate", raw=b"prompt=A", headers={"Content-Type": "text/plain"}
    )

    finding = _last(ozor.world)["findings"][0]
    assert _code_and_values(finding) == ("SC105", "application/json", "text/plain")
    assert finding["fix"] == "send the header `Content-Type: application/json`"


def test_operation_that_takes_two_content_types_tells_how_to_send_each(world: MockWorld) -> None:
    account = world.account("znapai")

    account.client.post("/v1/videos", raw=b"A", headers={"Content-Type": "text/plain"})

    assert _last(world)["findings"][0]["fix"] == (
        "send the header `Content-Type: application/json`, or send the fields as a form, "
        "and let the HTTP client set Content-Type with its boundary"
    )


def test_refusal_of_one_provider_only_is_reported_in_its_own_words(world: MockWorld) -> None:
    body = {"email": "nobody@example.com", "password": "wrong"}

    world.anonymous("oshara").post("/api/auth/login/", json=body)

    assert _code_and_values(_last(world)["findings"][0]) == (
        "SC101",
        "a request that the provider grants",
        "a refusal: No active account found with the given credentials",
    )


@pytest.mark.parametrize(
    ("order", "fix"),
    [
        ("[[screentest:fial]]", "did you mean 'fail'?"),
        ("[[screentest:bogus=3]]", "see docs/magic.md"),
        (
            "[[screentest:slow=x]]",
            "say how long, such as slow=60s, slow=5m or slow=1h; it was taken as slow=1m",
        ),
    ],
)
def test_unknown_directive_is_reported_with_the_known_ones(
    ozor: Account, order: str, fix: str
) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": f"A lamp {order}"})

    assert _last(ozor.world)["findings"] == [
        {
            "code": "SC114",
            "pointer": "",
            "expected": "an order: fail, reject, slow, stall",
            "actual": order,
            "fix": fix,
            "source": "",
            "severity": "warning",
        }
    ]


@pytest.mark.parametrize("order", ["fail", "fail=why not", "slow", "slow=5m", "stall"])
def test_known_directive_is_not_a_finding(ozor: Account, order: str) -> None:
    text = f"A lamp [[screentest:{order}]]"

    ozor.client.post("/api/v1/videos/generate", json={"prompt": text})

    assert _last(ozor.world)["findings"] == []


def test_good_request_has_no_findings(ozor: Account) -> None:
    ozor.client.get("/api/v1/videos")

    assert _last(ozor.world)["findings"] == []


def _warnings(world: MockWorld) -> list[tuple[str, str, str, str]]:
    found = _last(world).get("findings", [])
    return [(it["severity"], it["code"], it["pointer"], it["fix"]) for it in found]


def test_field_that_is_ignored_is_a_warning_with_the_nearest_documented_one(
    world: MockWorld,
) -> None:
    body = {"prompt": "A lamp", "colour": "red", "aspect_ration": "square"}

    answer = world.account("ulazai").client.post(ULAZAI_TEXT, json=body)

    assert answer.status == 201
    assert _warnings(world) == [
        ("warning", "SC103", "/colour", "leave 'colour' out"),
        ("warning", "SC103", "/aspect_ration", 'did you mean "aspect_ratio": "square"?'),
    ]


def test_ignored_field_with_another_providers_name_gets_its_name_here(
    world: MockWorld,
) -> None:
    body = {"data": {"engine": "sora", "seconds": 4, "scene": {"prompt": "A lamp", **UGC_SCENE}}}

    answer = world.account("ugc_copilot").client.post("/proxyStartVideoGeneration", json=body)

    assert answer.status == 200
    assert _warnings(world) == [
        ("warning", "SC103", "/data/seconds", 'did you mean "duration": 4?'),
        ("warning", "SC103", "/data/scene/prompt", "did you mean 'visualPrompt'?"),
    ]


def test_field_of_a_refused_request_is_not_warned_of(world: MockWorld) -> None:
    world.account("ulazai").client.post(ULAZAI_TEXT, json={"colour": "red"})

    assert [it["code"] for it in _last(world)["findings"]] == ["SC107"]


def test_empty_text_is_one_slip(world: MockWorld) -> None:
    world.account("ulazai").client.post(ULAZAI_TEXT, json={"prompt": ""})

    assert [(it["code"], it["pointer"]) for it in _last(world)["findings"]] == [
        ("SC108", "/prompt")
    ]
