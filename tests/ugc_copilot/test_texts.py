"""Scripts, market research and the free functions: invented content of the right shape."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps

INDUSTRIES = [
    "Beauty & Cosmetics",
    "Fashion & Style",
    "Food & Recipes",
    "Gaming & eSports",
    "Health & Fitness",
    "DIY & Crafts",
    "Comedy & Entertainment",
    "Dance & Music",
    "Education & Life Hacks",
    "Pets & Animals",
    "Personal Finance & Investing",
    "Tech & Gadgets",
    "Software & Apps",
    "Travel & Adventure",
    "Parenting & Family",
    "Home & Decor",
]
TEXTS = [
    steps.SCRIPT,
    steps.PARSE,
    steps.TONE,
    steps.INFLUENCER,
    steps.PRODUCTS,
    steps.ANALYSIS,
]


def ask(account: Account, path: str, **change: Json) -> Json:
    return steps.accepted(account.client.post(path, json={**steps.BODIES[path], **change}))


@pytest.mark.clause("UG-062")
def test_script_has_hooks_scenes_and_calls_to_action(ugc: Account) -> None:
    script = ask(ugc, steps.SCRIPT, targetDurationSec=30, platform="tiktok")

    assert set(script) == {"hooks", "scenes", "callToActions"}
    assert [scene["sceneNumber"] for scene in script["scenes"]] == [1, 2, 3, 4]
    assert all("Stoneware mug" in hook for hook in script["hooks"])


@pytest.mark.clause("UG-062")
@pytest.mark.parametrize(("seconds", "scenes"), [(8, 1), (24, 3), (90, 11)])
def test_longer_script_has_more_scenes(ugc: Account, seconds: int, scenes: int) -> None:
    script = ask(ugc, steps.SCRIPT, targetDurationSec=seconds)

    assert len(script["scenes"]) == scenes


@pytest.mark.clause("UG-062")
def test_own_script_keeps_its_words(ugc: Account) -> None:
    script = ask(ugc, steps.PARSE, rawScript="I was tired. Then I found it! Is it warm? Yes")

    assert [scene["scriptText"] for scene in script["scenes"]] == [
        "I was tired.",
        "Then I found it!",
        "Is it warm?",
        "Yes",
    ]


@pytest.mark.clause("UG-062", "UG-064")
def test_tone_and_presenter_are_given_in_words(ugc: Account) -> None:
    """U31."""
    script = ask(ugc, steps.TONE, tone="very dry", productDescription="Stoneware mug")
    person = ask(ugc, steps.INFLUENCER)

    assert "very dry" in script["scenes"][0]["scriptText"]
    assert set(person) == {"name", "description"}


@pytest.mark.clause("UG-063")
@pytest.mark.parametrize("industry", INDUSTRIES)
def test_sixteen_industries_are_known(world: MockWorld, industry: str) -> None:
    account = world.account("ugc_copilot")

    products = ask(account, steps.PRODUCTS, industry=industry)["topSellingProducts"]
    analysis = ask(account, steps.ANALYSIS, industry=industry)

    assert len(products) == 3
    assert {"trends", "personas", "topKeywords", "viralHooks"} <= set(analysis)


@pytest.mark.clause("UG-063", "UG-080")
@pytest.mark.parametrize("path", [steps.PRODUCTS, steps.ANALYSIS])
@pytest.mark.parametrize("industry", ["Mining", "home & decor", "", None])
def test_other_industry_is_refused(ugc: Account, path: str, industry: Json) -> None:
    answer = ugc.client.post(path, json={"industry": industry})

    assert steps.refusal(answer) == (400, "invalid-argument")


@pytest.mark.clause("UG-062", "UG-063", "UG-064")
@pytest.mark.parametrize("path", TEXTS)
def test_equal_requests_get_equal_words(ugc: Account, path: str) -> None:
    first, second = (ugc.client.post(path, json=steps.BODIES[path]).content for _ in range(2))

    assert first == second


@pytest.mark.clause("UG-061", "UG-062", "UG-080")
@pytest.mark.parametrize(
    ("path", "change"),
    [
        (steps.IMAGE, {"visualPrompt": ""}),
        (steps.IMAGE, {"visualPrompt": "x" * 4001}),
        (steps.IMAGE, {"quality": "ultra"}),
        (steps.IMAGE, {"productDescription": None}),
        (steps.IMAGE, {"productImageUrl": "no address"}),
        (steps.SCRIPT, {"productDescription": ""}),
        (steps.SCRIPT, {"productDescription": "x" * 4001}),
        (steps.SCRIPT, {"platform": "radio"}),
        (steps.SCRIPT, {"targetDurationSec": 91}),
        (steps.PARSE, {"rawScript": "x" * 9}),
        (steps.PARSE, {"rawScript": "x" * 10_001}),
        (steps.PARSE, {"audioMode": "silence"}),
        (steps.TONE, {"tone": ""}),
        (steps.INFLUENCER, {"productDescription": ""}),
    ],
)
def test_body_out_of_range_is_refused_and_costs_nothing(
    ugc: Account, path: str, change: dict[str, Json]
) -> None:
    answer = ugc.client.post(path, json={**steps.BODIES[path], **change})

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert ugc.money == (1_000, 0, 0)


# --- Without a key --------------------------------------------------------------------------------


@pytest.mark.clause("UG-090")
@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (steps.FREE_TRENDS, 3),
        (steps.FREE_HOOKS, 5),
        (steps.FREE_PERSONA, 3),
        (steps.FREE_SCRIPT, 3),
    ],
)
def test_free_function_answers_so_many_times_a_day(world: MockWorld, path: str, limit: int) -> None:
    free = world.anonymous("ugc_copilot")

    answers = [free.post(path, json=steps.FREE_BODIES[path]) for _ in range(limit + 1)]

    assert [answer.status for answer in answers] == [200] * limit + [429]
    assert all(set(answer.json()) == {"data"} for answer in answers[:-1])
    error = answers[-1].json()["error"]
    assert set(error) == {"code", "message", "request_id", "retryAfter"}
    assert (error["code"], error["retryAfter"]) == ("resource-exhausted", 86_400)
    assert answers[-1].headers["retry-after"] == "86400"


@pytest.mark.clause("UG-090")
def test_free_functions_are_counted_apart(world: MockWorld) -> None:
    free = world.anonymous("ugc_copilot")
    for _ in range(4):
        free.post(steps.FREE_TRENDS, json=steps.FREE_BODIES[steps.FREE_TRENDS])

    answer = free.post(steps.FREE_SCRIPT, json=steps.FREE_BODIES[steps.FREE_SCRIPT])

    assert answer.status == 200


@pytest.mark.clause("UG-090")
def test_free_functions_know_addresses_and_not_keys(ugc: Account) -> None:
    """A key changes nothing: its owner has the same calls as every caller at that address."""
    body = steps.FREE_BODIES[steps.FREE_TRENDS]
    for _ in range(3):
        ugc.world.anonymous("ugc_copilot").post(steps.FREE_TRENDS, json=body)

    answer = ugc.client.post(steps.FREE_TRENDS, json=body)

    assert steps.refusal(answer) == (429, "resource-exhausted")


@pytest.mark.clause("UG-090")
@pytest.mark.parametrize("path", sorted(steps.FREE_BODIES))
def test_free_function_needs_its_wrapping(world: MockWorld, path: str) -> None:
    flat = steps.FREE_BODIES[path]["data"]

    answer = world.anonymous("ugc_copilot").post(path, json=flat)

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert answer.json()["error"]["field"] == "data"


@pytest.mark.clause("UG-090")
@pytest.mark.parametrize(
    ("path", "change"),
    [
        (steps.FREE_TRENDS, {"industry": "Mining"}),
        (steps.FREE_HOOKS, {"productDescription": "too short"}),
        (steps.FREE_HOOKS, {"productDescription": "x" * 1_001}),
        (steps.FREE_HOOKS, {"platform": "instagram-reels"}),
        (steps.FREE_PERSONA, {"niche": "ab"}),
        (steps.FREE_PERSONA, {"targetAudience": "all"}),
        (steps.FREE_SCRIPT, {"industry": "Mining"}),
    ],
)
def test_refused_free_call_is_not_counted(
    world: MockWorld, path: str, change: dict[str, Json]
) -> None:
    free, good = world.anonymous("ugc_copilot"), steps.FREE_BODIES[path]
    bad = {"data": {**good["data"], **change}}

    refused = [free.post(path, json=bad).status for _ in range(6)]

    assert refused == [400] * 6
    assert free.post(path, json=good).status == 200


@pytest.mark.clause("UG-090")
def test_free_answers_have_the_documented_numbers_of_parts(world: MockWorld) -> None:
    free = world.anonymous("ugc_copilot")

    answers = {
        path: free.post(path, json=body).json()["data"] for path, body in steps.FREE_BODIES.items()
    }

    assert len(answers[steps.FREE_HOOKS]["hooks"]) == 10
    script = answers[steps.FREE_SCRIPT]
    assert (len(script["hooks"]), len(script["scenes"])) == (3, 3)
    assert set(answers[steps.FREE_PERSONA]["persona"]) == {
        "name",
        "tagline",
        "personalityTraits",
        "contentPillars",
        "preferredTones",
        "hookStyles",
        "nicheTopics",
        "postingCadence",
        "targetAudience",
        "brandVoice",
    }
    assert set(answers[steps.FREE_TRENDS]["trends"][0]) == {
        "productName",
        "whyTrending",
        "viralHooks",
        "targetAudience",
        "priceRange",
    }
