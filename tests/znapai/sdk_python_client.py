"""What a user of openai-python writes, as a script: it prints what the library gave back.

Runs in an interpreter that has the library and nothing of ours. Usage: STORY sync|async.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

# By name, because the library is not installed where the types of this file are checked.
openai: Any = importlib.import_module("openai")

PROMPT = "A paper boat crosses a puddle"


async def given(value: Any) -> Any:
    """The value itself, or what it becomes: one story serves both kinds of client."""
    return await value if inspect.isawaitable(value) else value


async def tell_jobs(client: Any) -> dict[str, Any]:
    """Create, read, poll, with a file, with metadata, and to a failure."""
    videos = client.videos
    made = await given(videos.create(model="sora-2", prompt=PROMPT, seconds="8", size="1280x720"))
    read = await given(videos.retrieve(made.id))
    began = time.monotonic()
    polled = await given(videos.poll(made.id))
    poll_lasts_s = time.monotonic() - began
    picture = ("boat.png", Path(os.environ["PICTURE"]).read_bytes(), "image/png")
    with_file = await given(
        videos.create_and_poll(model="sora-2", prompt=PROMPT, input_reference=picture)
    )
    extra = {"metadata": {"a": {"b": "c"}}}
    with_metadata = await given(videos.create(model="sora-2", prompt=PROMPT, extra_body=extra))
    failed = await given(
        videos.create_and_poll(
            model="sora-2", prompt=f"{PROMPT} [[screentest:fail=moderation_blocked]]"
        )
    )
    return {
        "made": made.to_dict(),
        "read_id": read.id,
        "polled": polled.to_dict(),
        "poll_lasts_s": poll_lasts_s,
        "with_file": with_file.status,
        "with_metadata": [with_metadata.id, with_metadata.status],
        "failed": [failed.status, failed.error.code, failed.error.message],
    }


async def tell_files(client: Any) -> dict[str, Any]:
    """Download the three variants of a completed video."""
    done = await given(client.videos.create_and_poll(model="sora-2", prompt=PROMPT))
    detail: dict[str, Any] = {}
    for variant in ("video", "thumbnail", "spritesheet"):
        content = await given(client.videos.download_content(done.id, variant=variant))
        body = await given(content.aread() if hasattr(content, "aread") else content.read())
        detail[variant] = [content.response.headers["content-type"], body[:8].hex(), len(body)]
    return detail


async def tell_lists(client: Any) -> dict[str, Any]:
    """Page through the list, remix, delete."""
    made = [
        (await given(client.videos.create_and_poll(model="sora-2", prompt=f"Boat {number}"))).id
        for number in range(5)
    ]
    pages: list[list[str]] = []
    page = await given(client.videos.list(limit=2, order="asc"))
    for _ in range(5):
        pages.append([video.id for video in page.data])
        if not page.has_next_page():
            break
        page = await given(page.get_next_page())
    remix = await given(client.videos.remix(made[0], prompt="At night"))
    deleted = await given(client.videos.delete(made[1]))
    left = await given(client.videos.list(limit=100))
    return {
        "made": made,
        "pages": pages,
        "remix": [remix.id, remix.remixed_from_video_id, remix.status],
        "deleted": deleted.to_dict(),
        "left": [video.id for video in left.data],
    }


async def tell_errors(client: Any) -> dict[str, Any]:
    """Which exception each mistake raises, and what it carries."""
    stranger = client.with_options(api_key="sk-nobody-has-this")
    video = {"model": "sora-2", "prompt": PROMPT}
    return {
        "size": await caught(lambda: client.videos.create(**video, size="1920x1080")),
        "duration": await caught(
            lambda: client.videos.create(**video, extra_body={"duration": "4"})
        ),
        "model": await caught(lambda: client.videos.create(prompt=PROMPT)),
        "key": await caught(lambda: stranger.videos.create(**video)),
        "id": await caught(lambda: client.videos.retrieve("video_" + "0" * 32)),
    }


async def tell_rate_limit(client: Any) -> dict[str, Any]:
    """An injected upstream 429."""
    patient = client.with_options(max_retries=0)
    return {"limited": await caught(lambda: patient.videos.list())}


async def caught(act: Callable[[], Any]) -> list[Any]:
    """The exception of *act*: class, status, code, and the beginning of the message."""
    try:
        await given(act())
    except openai.APIStatusError as error:
        message = str(error.body["message"])
        return [type(error).__name__, error.status_code, error.code, message[:60]]
    raise AssertionError("nothing was raised")


STORIES: dict[str, Callable[[Any], Coroutine[Any, Any, dict[str, Any]]]] = {
    "jobs": tell_jobs,
    "files": tell_files,
    "lists": tell_lists,
    "errors": tell_errors,
    "rate_limit": tell_rate_limit,
}


def main() -> None:
    story, kind = sys.argv[1:]
    # Address and key come from OPENAI_BASE_URL and OPENAI_API_KEY, as in any program of a user.
    client = openai.OpenAI() if kind == "sync" else openai.AsyncOpenAI()
    detail = asyncio.run(STORIES[story](client))
    sys.stdout.write(json.dumps({"version": openai.__version__, **detail}))


if __name__ == "__main__":
    main()
