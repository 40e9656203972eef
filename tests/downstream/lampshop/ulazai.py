"""Videos from UlazAI, with an asynchronous client."""

from __future__ import annotations

import asyncio
import os

import httpx


async def make_video(prompt: str) -> str:
    """The address of a finished video."""
    headers = {"Authorization": f"Token {os.environ['ULAZAI_API_KEY']}"}
    async with httpx.AsyncClient(base_url="https://ulazai.com/api/v1", headers=headers) as client:
        body = {"prompt": prompt, "aspect_ratio": "square"}
        started = await client.post("/sora/generate/text-to-video/", json=body)
        started.raise_for_status()
        task = started.json()["data"]["task_id"]
        for _ in range(20):
            found = (await client.get(f"/sora/status/{task}/")).json()
            if not found["success"]:
                raise RuntimeError(found["error_details"])
            if found["data"]["status"] == "success":
                return str(found["data"]["video_url"])
            await asyncio.sleep(30)
    raise TimeoutError(task)
