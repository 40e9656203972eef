"""UGC Copilot's texts: scripts, market research, and the functions that need no key.

Content is generated: equal requests in equal worlds get equal texts. Texts that a client sent are
part of the answer, so that a test can find its own product in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from screentest.specs.json_types import Json

from ...engine.provider import Call, Provider, Reply
from .pictures import broken, content_of
from .renders import answer, given

provider = Provider("ugc_copilot")

_NAMES = ("Noor", "Mika", "Ines", "Teo", "Amara", "Jonas", "Lucia", "Sami")
_PEOPLE = ("first-time renters", "new parents", "weekend athletes", "students", "home cooks")
_THINGS = ("Travel Kit", "Desk Lamp", "Storage Box", "Daily Balm", "Carry Strap", "Starter Set")
_REASONS = (
    "Comparison clips doubled over the month.",
    "Two large creators showed theirs unasked.",
    "It solves a problem that people film anyway.",
)
_PRICES = ("$10-$20", "$20-$40", "$40-$80")
_HOOKS = (
    "What I wish I had known about {it}",
    "I tried {it} for a week",
    "Stop scrolling if you need {it}",
    "Three reasons I kept {it}",
    "What {it} looks like after a month",
    "My honest take on {it}",
    "You are using {it} wrong",
    "Before you buy {it}, watch this",
    "I did not expect this from {it}",
    "The cheapest way to try {it}",
)
_CATEGORIES = ("curiosity", "story", "warning", "list", "proof")
_FORMATS = ("talking head", "unboxing", "before and after", "point of view")
_ACTIONS = ("Tap the link to get yours", "Save this for later", "Tell me which one you would pick")
_TONES = ("warm", "dry", "excited", "calm")
_SUBJECT_LENGTH = 60
_SCENE_LASTS_S = 8
_SCENES_MAX = 12


def _rng(call: Call) -> Random:
    return call.ctx.rng(call.operation.id, content_of(call))


def _subject(text: str) -> str:
    """A few words of the client's own text, to use in generated ones."""
    return " ".join(text.split())[:_SUBJECT_LENGTH] or "it"


# Scripts


@provider.operation("proxyGenerateViralScript")
def write_script(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    body = given(call)
    it = _subject(body["productDescription"])
    seconds = body.get("targetDurationSec", 3 * _SCENE_LASTS_S)
    count = max(1, min(_SCENES_MAX, round(seconds / _SCENE_LASTS_S)))
    lines = [f"Part {number}: why I kept {it}." for number in range(1, count + 1)]
    return answer(call, _script(_rng(call), it, lines))


@provider.operation("proxyParseOwnScript")
def parse_script(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    raw = given(call)["rawScript"]
    sentences = [it.strip() for it in re.split(r"(?<=[.!?])\s+", raw) if it.strip()]
    lines = (sentences or ["(silence)"])[:_SCENES_MAX]
    return answer(call, _script(_rng(call), _subject(lines[0]), lines))


@provider.operation("proxyRegenerateScriptWithTone")
def change_tone(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    body = given(call)
    it = _subject(body.get("productDescription", ""))
    tone = _subject(body["tone"])
    lines = [f"In a {tone} voice: {what} {it}." for what in ("meet", "see", "keep")]
    return answer(call, _script(_rng(call), it, lines))


def _script(rng: Random, it: str, lines: Sequence[str]) -> Json:
    scenes = [
        {
            "sceneNumber": number,
            "visualPrompt": f"{rng.choice(_FORMATS).capitalize()}, shot {number}: {it}",
            "scriptText": line,
            "durationSec": _SCENE_LASTS_S,
        }
        for number, line in enumerate(lines, start=1)
    ]
    hooks = [hook.format(it=it) for hook in rng.sample(_HOOKS, 3)]
    return {"hooks": hooks, "scenes": scenes, "callToActions": rng.sample(_ACTIONS, 2)}


@provider.operation("proxyGenerateIdealInfluencer")
def describe_influencer(call: Call) -> Reply:
    rng, it = _rng(call), _subject(given(call)["productDescription"])
    about = f"Speaks to {rng.choice(_PEOPLE)} in a {rng.choice(_TONES)} voice and lives with {it}."
    return answer(call, {"name": rng.choice(_NAMES), "description": about})


# Market research


@provider.facts("proxyFetchTopSellingProducts")
def search_price_facts(call: Call) -> Mapping[str, Json]:
    """An account's first search is free."""
    ctx = call.ctx
    earlier = ctx.rows.resources.of_account(
        ctx.provider, "product_search", call.account_id, limit=1
    )
    return {"earlier_searches": len(earlier)}


@provider.operation("proxyFetchTopSellingProducts")
def list_products(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    industry = given(call)["industry"]
    call.ctx.add("product_search", call.account_id, {"industry": industry})
    return answer(call, {"topSellingProducts": _products(_rng(call), industry)})


@provider.operation("proxyFetchFullMarketAnalysis")
def analyse_market(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    rng, industry = _rng(call), given(call)["industry"]
    people = rng.sample(_PEOPLE, 2)
    return answer(
        call,
        {
            "trends": [f"{it['productName']} clips" for it in _products(rng, industry)],
            "characteristics": [f"{rng.choice(_TONES)} voices", "short scenes"],
            "personas": [
                {"name": name, "description": f"Represents {who} in {industry}."}
                for name, who in zip(rng.sample(_NAMES, 2), people, strict=True)
            ],
            "topKeywords": [f"{industry.lower()} {word}" for word in ("haul", "routine", "test")],
            "viralHooks": [
                {"type": kind, "description": hook.format(it=industry)}
                for kind, hook in zip(_CATEGORIES[:3], rng.sample(_HOOKS, 3), strict=True)
            ],
            "strategyRecommendations": [f"Post for {who} in the morning." for who in people],
        },
    )


def _products(rng: Random, industry: str) -> list[dict[str, Json]]:
    return [
        {
            "productName": f"{industry.split()[0]} {thing}",
            "whyTrending": rng.choice(_REASONS),
            "targetAudience": rng.choice(_PEOPLE),
            "priceRange": rng.choice(_PRICES),
        }
        for thing in rng.sample(_THINGS, 3)
    ]


# Without a key: wrapped in `data` both ways (UG-090)


@provider.operation("freeTrendAnalyzer")
def list_trends(call: Call) -> Reply:
    rng = _rng(call)
    trends = [
        {**product, "viralHooks": [rng.choice(_HOOKS).format(it=product["productName"])]}
        for product in _products(rng, given(call)["industry"])
    ]
    return Reply(200, {"data": {"trends": trends}})


@provider.operation("freeGenerateHooks")
def write_hooks(call: Call) -> Reply:
    rng, body = _rng(call), given(call)
    it = _subject(body["productDescription"])
    hooks = [
        {
            "category": rng.choice(_CATEGORIES),
            "hook": hook.format(it=it),
            "visualSuggestion": f"{rng.choice(_FORMATS)} for {body['platform']}",
            "textOverlay": it,
            "format": rng.choice(_FORMATS),
        }
        for hook in _HOOKS
    ]
    return Reply(200, {"data": {"hooks": hooks}})


@provider.operation("freeGenerateCreatorPersona")
def invent_persona(call: Call) -> Reply:
    rng, body = _rng(call), given(call)
    niche = _subject(body["niche"])
    persona = {
        "name": rng.choice(_NAMES),
        "tagline": f"{niche}, without the fuss",
        "personalityTraits": rng.sample(("curious", "patient", "frank", "playful"), 3),
        "contentPillars": [f"{niche} basics", f"{niche} mistakes", "behind the scenes"],
        "preferredTones": rng.sample(_TONES, 2),
        "hookStyles": rng.sample(_CATEGORIES, 2),
        "nicheTopics": [f"{niche} for beginners", f"{niche} on a budget"],
        "postingCadence": f"{rng.randint(2, 5)} times a week on {body['platform']}",
        "targetAudience": body["targetAudience"],
        "brandVoice": f"{rng.choice(_TONES)} and clear",
    }
    return Reply(200, {"data": {"persona": persona}})


@provider.operation("freeGenerateScript")
def write_short_script(call: Call) -> Reply:
    rng, body = _rng(call), given(call)
    it = _subject(body["productDescription"])
    script = _script(rng, it, [f"Meet {it}.", f"Why {body['industry']} talks about it.", "Try it."])
    scenes = [
        {name: value for name, value in scene.items() if name != "durationSec"}
        for scene in script["scenes"]
    ]
    action = script["callToActions"][0]
    return Reply(
        200, {"data": {"hooks": script["hooks"], "scenes": scenes, "callToAction": action}}
    )
