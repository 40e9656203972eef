"""Ozor's plans: reading and editing them, and rendering them while progress is streamed."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation, shown

from ...engine.instant import Instant
from ...engine.provider import Call, EventStream, Provider, Reply
from ...kernel.rows import Resource
from ...media.asset import Asset
from ...media.clips import StillKind, still
from .exports import failure_reason
from .videos import add_video

provider = Provider("ozor")


@provider.operation("getPlan")
def get_plan(call: Call) -> Reply:
    return _shown_plan(call.ctx, call.found["plan"])


@provider.operation("updatePlan")
def update_plan(call: Call) -> Reply:
    ctx, plan = call.ctx, call.found["plan"]
    scenes, voice = call.body.get("scenes"), call.body.get("voiceSettings") or {}
    voice = {name: value for name, value in voice.items() if value is not None}
    changes: dict[str, Json] = {"voice": plan.doc["voice"] | voice, "updated_ms": ctx.now_ms}
    if scenes is not None:
        edited = [_edited(call, plan, number, scene) for number, scene in enumerate(scenes)]
        changes["scenes"] = edited
    if ctx.reading("patch_of_failed_plan") == "to_draft":
        failed = ctx.newest("plan_generation", plan.id)
        changes["left_behind"] = failed.id if failed is not None else None
    plan = ctx.save(plan, changes)
    return _shown_plan(ctx, plan)


def _shown_plan(ctx: Instant, plan: Resource) -> Reply:
    body, voice = plan_body(ctx, plan), plan.doc["voice"]
    if voice and ctx.reading("voice_settings_shown") == "shown":
        body["voiceSettings"] = voice
    return Reply(200, {"plan": body})


def _edited(call: Call, plan: Resource, number: int, scene: Json) -> Json:
    names = ("order", "sceneTitle", "scenePrompt", "voiceoverText")
    return {
        **{name: scene[name] for name in names},
        "images": _images_named(call, plan, number, scene.get("imageRefs") or []),
        "keyPoints": scene.get("keyPoints") or [],
    }


def _images_named(call: Call, plan: Resource, number: int, references: list[Json]) -> list[str]:
    """The plan's own images to which *references* of its *number*-th scene refer.

    Raises:
        RefusedError: a reference is not an image of this plan, and the reading A38 refuses it.
    """
    known = {_storage_path(plan, image): image for image in plan.doc["images"]}
    for place, reference in enumerate(references):
        path = reference["storagePath"]
        if path not in known and call.ctx.reading("unknown_images") == "refuse":
            where = f"/scenes/{number}/imageRefs/{place}/storagePath"
            wanted = "an image of this plan, by the path that reading the plan shows"
            raise call.refuse_value(Violation("body", where, "rule", wanted, shown(path)))
    return [known[it["storagePath"]] for it in references if it["storagePath"] in known]


def _storage_path(plan: Resource, image: str) -> str:
    return f"users/{plan.account}/plans/{plan.id}/{image}.png"


@provider.state("plan")
def plan_status(ctx: Instant, plan: Resource) -> str:
    """The state of its newest generation; a plan without one is a draft."""
    generation = _generation(ctx, plan)
    return ctx.state(generation) if generation is not None else "draft"


def _generation(ctx: Instant, plan: Resource) -> Resource | None:
    """The newest generation that counts: an edit makes an earlier failure irrelevant (A25)."""
    newest = ctx.newest("plan_generation", plan.id)
    return None if newest is not None and newest.id == plan.doc.get("left_behind") else newest


def plan_body(ctx: Instant, plan: Resource) -> Json:
    generation = _generation(ctx, plan)
    kind = ctx.kind(generation) if generation is not None else None
    updated_ms = plan.doc["updated_ms"]
    if generation is not None:
        updated_ms = max(updated_ms, ctx.entered_ms(generation))
    doc = plan.doc
    return {
        "planId": plan.id,
        "fileName": doc["file_name"],
        "fileType": doc["file_type"],
        "sourceUrl": doc["source_url"],
        "aspectRatio": doc["aspect"],
        "status": plan_status(ctx, plan),
        "language": doc["language"],
        "style": doc["style"],
        "scenes": [_shown(ctx, plan, scene) for scene in doc["scenes"]],
        "projectId": generation.doc.get("project_id") if generation is not None else None,
        "error": failure_reason(generation)
        if generation is not None and kind is Kind.FAILED
        else None,
        "createdAt": plan.created_ms // 1_000,
        "updatedAt": updated_ms // 1_000,
        "createdVia": "api",
        "creditsCost": doc["first_cost"]
        if ctx.reading("credits_cost_after_patch") == "keep"
        else plan_cost(ctx, doc["scenes"]),
    }


def _shown(ctx: Instant, plan: Resource, scene: Json) -> Json:
    refs = [
        {
            "storagePath": _storage_path(plan, image),
            "url": ctx.url("scene_image", id=plan.id, image=image),
        }
        for image in scene["images"]
    ]
    fields = {name: value for name, value in scene.items() if name != "images"}
    return {**fields, "imageRefs": refs}


def plan_cost(ctx: Instant, scenes: list[Json]) -> int:
    """What rendering *scenes* costs, in credits."""
    return _voiceover_scenes(ctx, scenes) // 2


def _voiceover_scenes(ctx: Instant, scenes: list[Json]) -> int:
    counts_blank = ctx.reading("voiceover_scene") == "not_empty"
    texts = (scene["voiceoverText"] for scene in scenes)
    return sum(1 for text in texts if (text if counts_blank else text.strip()))


@provider.asset("scene_image")
def serve_scene_image(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    plan = ctx.find("plan", parts["id"])
    if plan is None or parts["image"] not in plan.doc["images"]:
        return None
    return Asset(still(StillKind.PAGE, 960, 540), "image/png")


@provider.facts("generatePlan")
def price_facts(call: Call) -> Mapping[str, Json]:
    scenes = call.found["plan"].doc["scenes"]
    return {"voiceover_scenes": _voiceover_scenes(call.ctx, scenes)}


@provider.operation("generatePlan")
def generate_plan(call: Call) -> EventStream:
    plan = call.found["plan"]
    return EventStream(call.start({"scene_count": len(plan.doc["scenes"])}, parent=plan.id))


@provider.when("plan_generation", Kind.SUCCEEDED)
def finish_plan(ctx: Instant, generation: Resource) -> None:
    """The project exists from the instant of the `done` event (OZ-209)."""
    plan = ctx.find("plan", generation.parent or "")
    assert plan is not None, generation.id
    video = add_video(
        ctx,
        plan.account,
        plan.doc["file_name"],
        plan.doc["aspect"],
        createdVia="document",
        revision=1,
    )
    ctx.save(generation, {"project_id": video.id})


@provider.stream("generatePlan")
def stream_facts(ctx: Instant, generation: Resource) -> Mapping[str, Json]:
    return {
        "scenes": list(range(generation.doc["scene_count"])),
        "project_id": generation.doc.get("project_id"),
    }
