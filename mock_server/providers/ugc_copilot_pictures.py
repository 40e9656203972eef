"""UGC Copilot's scene pictures, cuts and text overlays, all answered at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from screentest.specs.validation import Violation

from ..ids import digest
from ..instant import Instant
from ..magic import ordered_outcome
from ..media import StillKind, still
from ..provider import Asset, Call, Provider, Refusal, Reply
from .ugc_copilot import answer, footage, given, own_video, shape_refusal, wrong

Json = Any

provider = Provider("ugc_copilot")


def broken(call: Call) -> Reply | None:
    """The 500 that somebody ordered for this call, by a fault or a text; it is not charged.

    It is returned, not raised, because raising would take back that the fault has struck.
    """
    facts = {"operation": call.operation.id, "account": call.account_id}
    fault = call.here.strike("job_failure", facts)
    ordered = ordered_outcome(call.body) if call.here.settings.has_magic else None
    if fault is None and (ordered is None or ordered.verb != "fail"):
        return None
    told = fault.attributes.get("reason") if fault is not None else None
    problem = told or (ordered.text if ordered is not None else "") or "The generation failed."
    reply = shape_refusal(call, Refusal("failed", {"problem": problem}))
    assert reply is not None, "it shapes every refusal"
    reply.reason = "failed"
    return reply


def content_of(call: Call) -> str:
    """A short text that is the same for equal requests alone."""
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
    image = call.here.add("image", call.account_id, doc)
    return answer(call, call.here.url("image", image=image.id))


@provider.asset("image")
def serve_image(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    image = here.find("image", parts["image"])
    if image is None:
        return None
    width, height = here.behaviour.media["sizes"][image.doc["aspect"]]
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
    here = call.here
    videos = [own_video(call, url) for url in given(call)["videoUrls"]]
    parts = [video for video in videos if video is not None]
    doc = {
        "aspect": parts[0].doc["aspect"],
        "billed_s": sum(part.doc["billed_s"] for part in parts),
        "content": content_of(call),
    }
    made = here.add("stitch", call.account_id, doc)
    address = here.url("stitch", stitch=made.id)
    return answer(call, {"videoUrl": address, "mimeType": "video/mp4"})


@provider.check("proxyApplyTextOverlay")
def check_overlay(call: Call) -> Sequence[Violation]:
    """Only an own video can be lettered, and no text may end before it begins."""
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
    here = call.here
    video = own_video(call, given(call)["videoUri"])
    assert video is not None, "the check before this found it"
    doc = {name: video.doc[name] for name in ("aspect", "billed_s")}
    made = here.add("overlay", call.account_id, {**doc, "content": content_of(call)})
    return answer(call, {"overlayVideoUrl": here.url("overlay", overlay=made.id)})


@provider.asset("stitch")
def serve_stitch(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    return footage(here, here.find("stitch", parts["stitch"]))


@provider.asset("overlay")
def serve_overlay(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    return footage(here, here.find("overlay", parts["overlay"]))
