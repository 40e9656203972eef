"""UGC Copilot's renders: what an engine can do, polling and fetching.

Functions, because a body may be wrapped, and names its render by a handle or an address.

Source: https://ugccopilot.ai/api/ and the vendor's own client, read 2026-11-21. Clause ids are
explained in `specs/ugc_copilot/clauses.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...engine.facts import resource_facts
from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Reply
from ...engine.views import file_of
from ...kernel.rows import Resource
from ...media.asset import Asset

provider = Provider("ugc_copilot")

#: The prefix of handles, which one engine gives instead of URLs of its finished renders.
_HANDLE = "video_"
_REASON = re.compile(r"([A-Z][A-Z_]+)(?::\s*(.+))?", re.DOTALL)
_STORED = re.compile(
    r"https?://.*/_storage/(videos|upstream|stitched|overlays)/([a-z0-9]{24})\.mp4"
)
_KINDS = {"videos": "render", "upstream": "render", "stitched": "stitch", "overlays": "overlay"}

# What every function shares


@provider.reads_fields
def given(call: Call) -> Mapping[str, Json]:
    """The fields of a body, flat or wrapped in `data` (U1).

    Raises:
        RefusedError: they came in the form that the reading does not accept.
    """
    body: Mapping[str, Json] = call.body
    is_wrapped = isinstance(body.get("data"), dict)
    form = call.ctx.reading("body_form") if call.operation.security else "both"
    if form == "wrapped" and not is_wrapped:
        raise call.refuse_value(Violation("body", "/data", "required", "a value", "nothing"))
    if form == "flat" and is_wrapped:
        raise call.refuse_value(Violation("body", "/data", "rule", "no such field", "an object"))
    fields: Mapping[str, Json] = body["data"] if is_wrapped else body
    # An optional field is null here only if the reading treats null as absent (U38).
    return {name: value for name, value in fields.items() if value is not None}


def wrong(call: Call, field: str, expected: str, actual: Json) -> Violation:
    """A violation at *field* of the body, which may be flat or wrapped."""
    under = "/data" if isinstance(call.body.get("data"), dict) else ""
    return Violation("body", f"{under}/{field}", "rule", expected, str(actual)[:80])


def answer(call: Call, body: Json) -> Reply:
    """A successful answer to a call with a key."""
    is_wrapped = call.ctx.reading("callable_envelope") == "result"
    return Reply(200, {"result": body} if is_wrapped else body)


# Starting


@provider.check("proxyStartVideoGeneration")
def check_start(call: Call) -> Sequence[Violation]:
    """Model, length and picture must fit the engine."""
    body, ctx = given(call), call.ctx
    engine, facts = body["engine"], ctx.behaviour.facts
    models, model = facts["models"][engine], body.get("modelName")
    if model is not None and model not in models:
        return [wrong(call, "modelName", f"a model of {engine}: {', '.join(models)}", model)]
    if model is not None and body.get("quality", models[model]) != models[model]:
        return [wrong(call, "quality", f"{models[model]}, which {model} is", body["quality"])]
    asked_s = body.get("duration")
    if ctx.reading("duration_type") == "whole_seconds" and asked_s is not None and asked_s % 1:
        return [wrong(call, "duration", "whole seconds", asked_s)]
    if ctx.reading("duration_limits") == "refuse" and asked_s is not None:
        possible_s = _effective_s(facts["durations"][engine], asked_s)
        if possible_s != asked_s:
            return [wrong(call, "duration", f"a length that {engine} can do", asked_s)]
    needs_image = engine in facts["needs_scene_image"] or body.get("isFaceless", False)
    if needs_image and "sceneImage" not in body and ctx.reading("scene_image") == "required":
        return [wrong(call, "sceneImage", f"a picture, required for {engine}", "nothing")]
    return []


@provider.facts("proxyStartVideoGeneration")
def price_facts(call: Call) -> Mapping[str, Json]:
    half_up = call.ctx.reading("rounding") == "half_up"
    return {**_settings(call), "half_up": int(half_up)}


def _settings(call: Call) -> dict[str, Json]:
    """Engine, quality, and the seconds that are rendered and billed."""
    body, facts = given(call), call.ctx.behaviour.facts
    engine = body["engine"]
    quality = facts["models"][engine].get(body.get("modelName"), body.get("quality", "standard"))
    billed_s = _effective_s(facts["durations"][engine], body.get("duration"))
    return {"engine": engine, "quality": quality, "billed_s": billed_s}


def _effective_s(limits: Json, asked_s: float | None) -> float:
    """The engine's length nearest to *asked_s*; the shorter of two that are equally near."""
    if asked_s is None:
        effective_s: float = limits["baseline_s"]
    elif "choices_s" in limits:
        effective_s = min(limits["choices_s"], key=lambda it: (abs(it - asked_s), it))
    else:
        effective_s = max(limits["least_s"], min(limits["most_s"], asked_s))
    return int(effective_s) if effective_s == int(effective_s) else effective_s


# Polling and fetching


@provider.operation("proxyCheckVideoStatus")
def check_status(call: Call) -> Reply:
    ctx, name = call.ctx, str(given(call)["operationName"])
    render = ctx.find("render", name)
    if render is None or render.account != call.account_id:
        raise call.refuse("not_found", resource="Operation", id=name[:80])
    call.found = {render.kind: render}
    _compare_engine(call, render)
    match ctx.kind(render):
        case Kind.FAILED:
            return answer(call, {"done": True, "error": error_of(render)})
        case Kind.SUCCEEDED:
            videos = [{"video": {"uri": uri_of(ctx, render)}}]
            response = {"generatedVideos": videos}
            return answer(call, {"done": True, "progress": 100, "response": response})
        case kind:
            message = "Rendering" if kind is Kind.RUNNING else "Waiting for the engine"
            running = {"done": False, "progress": ctx.progress(render), "message": message}
            return answer(call, running)


@provider.operation("proxyFetchVideo")
def fetch_video(call: Call) -> Reply:
    uri = str(given(call)["uri"])
    render = own_video(call, uri)
    if render is None or render.kind != "render":
        raise call.refuse("not_found", resource="Video", id=uri[:80])
    _compare_engine(call, render)
    address = call.ctx.url("video", video=tail_of(render))
    return answer(call, {"videoUrl": address, "mimeType": "video/mp4"})


def _compare_engine(call: Call, render: Resource) -> None:
    engine = given(call)["engine"]
    if engine != render.doc["engine"] and call.ctx.reading("engine_mismatch") == "400":
        wanted = f"{render.doc['engine']}, which renders this"
        raise call.refuse_value(wrong(call, "engine", wanted, engine))


def tail_of(render: Resource) -> str:
    """The part of an operation's name that its URLs have."""
    return render.id.rpartition("/")[2]


def uri_of(ctx: Instant, render: Resource) -> str:
    """The `uri` of a finished render: a handle of Sora, a URL of the other engines."""
    if render.doc["engine"] == "sora":
        return _HANDLE + tail_of(render)
    return ctx.url("upstream", video=tail_of(render))


def own_video(call: Call, uri: str) -> Resource | None:
    """The account's finished video behind a handle or an address of ours.

    The host is not compared: one server has several names, and the id alone decides.
    """
    stored = _STORED.fullmatch(uri.partition("?")[0])
    if stored is not None:
        kind, tail = _KINDS[stored[1]], stored[2]
    elif uri.startswith(_HANDLE):
        kind, tail = "render", uri.removeprefix(_HANDLE)
    else:
        return None
    found = _find(call.ctx, kind, tail)
    if found is None or found.account != call.account_id:
        return None
    call.found = {found.kind: found}
    return found


def _find(ctx: Instant, kind: str, tail: str) -> Resource | None:
    """A video that exists: a render only once it has succeeded."""
    if kind != "render":
        return ctx.find(kind, tail)
    render = ctx.find("render", f"operations/{tail}")
    if render is None or ctx.kind(render) is not Kind.SUCCEEDED:
        return None
    return render


def error_of(render: Resource) -> dict[str, str]:
    """Code and message of a failure. The reason may begin with the code and a colon (U30)."""
    reason = render.script.reason if render.script is not None else ""
    found = _REASON.fullmatch(reason.strip())
    if found is None:
        return {"code": "RENDER_FAILED", "message": reason or "The engine did not deliver."}
    return {"code": found[1], "message": found[2] or "The engine refused the scene."}


@provider.event("render")
def event_facts(ctx: Instant, render: Resource) -> Mapping[str, Json]:
    """The facts of a webhook beyond those of the render itself (U10)."""
    if ctx.kind(render) is Kind.FAILED:
        refunded = ctx.ledger.refunded(render.account, render.id)
        return {"video_url": None, "error": error_of(render), "refunded": refunded}
    address = ctx.url("video", video=tail_of(render))
    return {"video_url": address, "error": None, "refunded": 0}


# Files


@provider.asset("video")
@provider.asset("upstream")
def serve_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    """The file of a render, whose URLs have a part of its id only."""
    render, rules = _find(ctx, "render", parts["video"]), ctx.behaviour.urls["video"].file
    if render is None or rules is None:
        return None
    return file_of(rules, resource_facts(ctx, render), render.id)
