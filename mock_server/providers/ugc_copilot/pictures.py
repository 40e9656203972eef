"""UGC Copilot's scene pictures, cuts and text overlays, all answered at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Refusal, Reply
from ...kernel.ids import digest
from ...media.asset import Asset
from ...media.clips import StillKind, still
from .errors import shape_refusal
from .renders import answer, footage, given, own_video, wrong

provider = Provider("ugc_copilot")


def broken(call: Call) -> Reply | None:
    """The 500 that a fault or a directive injects into this call; it is not charged.

    It is returned, not raised, because a raised refusal would undo that the fault was applied.
    """
    facts = {"operation": call.operation.id, "account": call.account_id}
    fault = call.ctx.apply_fault("job_failure", facts)
    directive = call.directive
    if fault is None and (directive is None or directive.verb != "fail"):
        return None
    detail = fault.attributes.get("reason") if fault is not None else None
    problem = (
        detail or (directive.text if directive is not None else "") or "The generation failed."
    )
    reply = shape_refusal(call, Refusal("failed", {"problem": problem}))
    assert reply is not None, "it shapes every refusal"
    reply.reason = "failed"
    return reply


def content_of(call: Call) -> str:
    """A short digest, the same for equal requests only."""
    return digest(call.operation.id, json.dumps(given(call), sort_keys=True)).hex()[:16]


# Pictures


@provider.facts("proxyGenerateSceneImage")
def image_price_facts(call: Call) -> Mapping[str, Json]:
    return {"quality": given(call).get("quality", "standard")}


@provider.operation("proxyGenerateSceneImage")
def generate_image(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    doc = {"aspect": given(call).get("aspectRatio", "9:16"), "content": content_of(call)}
    image = call.ctx.add("image", call.account_id, doc)
    return answer(call, call.ctx.url("image", image=image.id))


@provider.asset("image")
def serve_image(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    image = ctx.find("image", parts["image"])
    if image is None:
        return None
    width, height = ctx.behaviour.media["sizes"][image.doc["aspect"]]
    return Asset(still(StillKind.POSTER, width, height), "image/jpeg")


# Cuts and overlays


@provider.check("proxyStitchVideos")
def check_stitch(call: Call) -> Sequence[Violation]:
    """Only the account's own videos can be joined."""
    return [
        wrong(call, f"videoUrls/{place}", "the address of a finished video of yours", url)
        for place, url in enumerate(given(call)["videoUrls"])
        if own_video(call, url) is None
    ]


@provider.operation("proxyStitchVideos")
def stitch_videos(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    ctx = call.ctx
    videos = [own_video(call, url) for url in given(call)["videoUrls"]]
    parts = [video for video in videos if video is not None]
    doc = {
        "aspect": parts[0].doc["aspect"],
        "billed_s": sum(part.doc["billed_s"] for part in parts),
        "content": content_of(call),
    }
    made = ctx.add("stitch", call.account_id, doc)
    address = ctx.url("stitch", stitch=made.id)
    return answer(call, {"videoUrl": address, "mimeType": "video/mp4"})


@provider.check("proxyApplyTextOverlay")
def check_overlay(call: Call) -> Sequence[Violation]:
    """Only the account's own video can get overlays, and no text may end before it begins."""
    body = given(call)
    if own_video(call, body["videoUri"]) is None:
        return [wrong(call, "videoUri", "a finished video of yours", body["videoUri"])]
    for place, overlay in enumerate(body["overlays"]):
        if overlay.get("endTime", float("inf")) < overlay.get("startTime", 0):
            expected = f"at least the startTime {overlay['startTime']}"
            return [wrong(call, f"overlays/{place}/endTime", expected, overlay["endTime"])]
    return []


@provider.operation("proxyApplyTextOverlay")
def apply_overlay(call: Call) -> Reply:
    if failure := broken(call):
        return failure
    ctx = call.ctx
    video = own_video(call, given(call)["videoUri"])
    assert video is not None, "the check before this found it"
    doc = {name: video.doc[name] for name in ("aspect", "billed_s")}
    made = ctx.add("overlay", call.account_id, {**doc, "content": content_of(call)})
    return answer(call, {"overlayVideoUrl": ctx.url("overlay", overlay=made.id)})


@provider.asset("stitch")
def serve_stitch(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    return footage(ctx, ctx.find("stitch", parts["stitch"]))


@provider.asset("overlay")
def serve_overlay(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    return footage(ctx, ctx.find("overlay", parts["overlay"]))
