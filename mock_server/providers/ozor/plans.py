"""Ozor's plans: the images of edited scenes, and the project that a rendered plan becomes.

Functions, because an edit is refused with the place of a wrong image, and a project has several
resources.
"""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation, shown

from ...engine.instant import Instant
from ...engine.provider import Call, Provider
from ...kernel.rows import Resource
from ...media.asset import Asset
from ...media.clips import StillKind, still
from .videos import add_video

provider = Provider("ozor")


@provider.facts("updatePlan")
def edited(call: Call) -> Mapping[str, Json]:
    """The scenes of a plan as the request edits them.

    Raises:
        RefusedError: a scene has an image that is not one of the plan's.
    """
    plan = call.found["plan"]
    return {
        "scenes": [_edited(call, plan, number, it) for number, it in enumerate(call.body["scenes"])]
    }


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


@provider.asset("scene_image")
def serve_scene_image(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    plan = ctx.find("plan", parts["id"])
    if plan is None or parts["image"] not in plan.doc["images"]:
        return None
    return Asset(still(StillKind.PAGE, 960, 540), "image/png")


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
