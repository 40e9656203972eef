"""Small verbs of UGC Copilot's users: start, poll, fetch.

Each asserts that it was accepted, and returns the decoded answer. Tests about refusals speak to
`account.client` themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, MockWorld

#: The folder of the provider's contract.
SPEC: Traversable = files("screentest.specs").joinpath("ugc_copilot")

START = "/proxyStartVideoGeneration"
CHECK = "/proxyCheckVideoStatus"
FETCH = "/proxyFetchVideo"
STITCH = "/proxyStitchVideos"
OVERLAY = "/proxyApplyTextOverlay"
IMAGE = "/proxyGenerateSceneImage"
SCRIPT = "/proxyGenerateViralScript"
PARSE = "/proxyParseOwnScript"
TONE = "/proxyRegenerateScriptWithTone"
INFLUENCER = "/proxyGenerateIdealInfluencer"
PRODUCTS = "/proxyFetchTopSellingProducts"
ANALYSIS = "/proxyFetchFullMarketAnalysis"
DOCUMENT = "/docs/openapi.yaml"
FREE_TRENDS = "/freeTrendAnalyzer"
FREE_HOOKS = "/freeGenerateHooks"
FREE_PERSONA = "/freeGenerateCreatorPersona"
FREE_SCRIPT = "/freeGenerateScript"

#: The name of an operation in the right form that was never started.
NO_OPERATION = "operations/000000000000000000000000"
#: No render takes longer than three minutes of the world's clock.
LONGEST_MS = 180_000
POLL_EVERY_MS = 15_000
POLLS_MAX = 60

SCENE = {"visualPrompt": "A potter turns a mug in the light", "scriptText": "Look at that blue."}
#: A good body for each function that needs a key and nothing else.
BODIES: Mapping[str, Json] = {
    START: {"data": {"engine": "sora", "scene": SCENE}},
    IMAGE: {"visualPrompt": "A blue mug", "productDescription": ""},
    SCRIPT: {"productDescription": "Stoneware mug"},
    PARSE: {"rawScript": "I was tired of cold tea. Then I found this mug."},
    TONE: {"tone": "dry"},
    INFLUENCER: {"productDescription": "Stoneware mug"},
    PRODUCTS: {"industry": "Home & Decor"},
    ANALYSIS: {"industry": "Home & Decor"},
}
#: A good body for each function that needs no key.
FREE_BODIES: Mapping[str, Json] = {
    FREE_TRENDS: {"data": {"industry": "Home & Decor"}},
    FREE_HOOKS: {"data": {"productDescription": "Stoneware mug", "platform": "tiktok"}},
    FREE_PERSONA: {
        "data": {"niche": "pottery", "platform": "instagram", "targetAudience": "home cooks"}
    },
    FREE_SCRIPT: {"data": {"productDescription": "Stoneware mug", "industry": "Home & Decor"}},
}


def accepted(answer: Answer) -> Json:
    """The body of an answer that must be a 200."""
    assert answer.status == 200, f"{answer.status}: {answer.text}"
    return answer.json()


def refusal(answer: Answer) -> tuple[int, str]:
    """(status, code) of an answer that must be an error in the provider's shape."""
    error = answer.json()["error"]
    assert error["message"], answer.text
    return answer.status, error["code"]


def with_key(account: Account, key: str) -> Client:
    """A client of the same world that carries *key*."""
    return Client(account.client.wsgi, account.client.base, {"Authorization": f"Bearer {key}"})


# --- Renders --------------------------------------------------------------------------------------


def body(engine: str = "sora", **data: Json) -> Json:
    """A start in the documented form; *data* adds to, or replaces, engine and scene."""
    return {"data": {"engine": engine, "scene": SCENE, **data}}


def try_start(account: Account, engine: str = "sora", **data: Json) -> Answer:
    return account.client.post(START, json=body(engine, **data))


def start(account: Account, engine: str = "sora", **data: Json) -> str:
    """Begin a render; its operation's name."""
    return str(accepted(try_start(account, engine, **data))["operation"]["name"])


def price(account: Account, engine: str = "sora", **data: Json) -> int:
    """What a render has cost."""
    before = account.money[2]
    start(account, engine, **data)
    return account.money[2] - before


def try_check(account: Account, operation: str, engine: str = "sora") -> Answer:
    return account.client.post(CHECK, json={"operationName": operation, "engine": engine})


def check(account: Account, operation: str, engine: str = "sora") -> Json:
    return accepted(try_check(account, operation, engine))


def poll(account: Account, operation: str, engine: str = "sora") -> list[Json]:
    """Every answer from now until the render is done, polled every 15 s of the world's clock."""
    seen: list[Json] = []
    for _ in range(POLLS_MAX):
        seen.append(check(account, operation, engine))
        if seen[-1]["done"]:
            return seen
        account.world.advance(POLL_EVERY_MS)
    raise AssertionError(f"the render did not end within {POLLS_MAX} polls: {seen[-1]}")


def finish(account: Account, operation: str, engine: str = "sora") -> Json:
    """The render's last answer."""
    return poll(account, operation, engine)[-1]


def uri_of(status: Mapping[str, Any]) -> str:
    """What a finished render is fetched by."""
    return str(status["response"]["generatedVideos"][0]["video"]["uri"])


def finished(account: Account, engine: str = "sora", **data: Json) -> str:
    """A finished render; its uri."""
    return uri_of(finish(account, start(account, engine, **data), engine))


def fetch(account: Account, uri: str, engine: str = "sora") -> Json:
    return accepted(account.client.post(FETCH, json={"uri": uri, "engine": engine}))


def job_id(operation: str) -> str:
    """How the control API names a render."""
    return operation.replace("/", "_")


# --- What only a mock can do ----------------------------------------------------------------------


def fail_next(world: MockWorld, reason: str, operation: str = "proxyStartVideoGeneration") -> None:
    """The next job that *operation* starts, or its next answer, will fail."""
    fault = {
        "type": "job_failure",
        "where": {"provider": "ugc_copilot", "operation": operation},
        "attributes": {"reason": reason},
    }
    answer = world.control.post(f"{world.path}/faults", json=fault)
    assert answer.status == 201, answer.text


def failed(account: Account, reason: str = "SAFETY_BLOCK: The scene shows a brand.") -> str:
    """A render that has failed; its operation's name."""
    fail_next(account.world, reason)
    operation = start(account)
    assert "error" in finish(account, operation)
    return operation


def job_count(world: MockWorld) -> int:
    """How many renders the world knows."""
    answer = world.control.get(f"{world.path}/jobs", query={"provider": "ugc_copilot"})
    return len(accepted(answer)["items"])
