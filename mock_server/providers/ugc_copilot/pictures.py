"""UGC Copilot's cuts and text overlays, answered at once.

Functions, because they find the account's own videos behind addresses and handles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...engine.provider import Call, Provider
from .renders import given, own_video, wrong

provider = Provider("ugc_copilot")


@provider.check("proxyStitchVideos")
def check_stitch(call: Call) -> Sequence[Violation]:
    """Only the account's own videos can be joined."""
    return [
        wrong(call, f"videoUrls/{place}", "the address of a finished video of yours", url)
        for place, url in enumerate(given(call)["videoUrls"])
        if own_video(call, url) is None
    ]


@provider.facts("proxyStitchVideos")
def joined(call: Call) -> Mapping[str, Json]:
    """The videos that are joined, and their seconds."""
    found = [own_video(call, url) for url in given(call)["videoUrls"]]
    videos = [video.doc for video in found if video is not None]
    return {"videos": videos, "seconds": sum(it["billed_s"] for it in videos)}


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


@provider.facts("proxyApplyTextOverlay")
def overlaid(call: Call) -> Mapping[str, Json]:
    """The video that gets the overlays."""
    video = own_video(call, given(call)["videoUri"])
    assert video is not None, "the check before this found it"
    return {"video": video.doc}
