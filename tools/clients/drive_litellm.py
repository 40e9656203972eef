"""LiteLLM as a client library at ZnapAI. It has no call that waits."""

import os
import time

import litellm

PLACE = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"]}
made = litellm.video_generation(model="openai/sora-2", prompt="A lamp", seconds="4", **PLACE)
for _ in range(100):
    video = litellm.video_status(video_id=made.id, custom_llm_provider="openai", **PLACE)
    if video.status == "completed":
        break
    if video.status == "failed":
        raise SystemExit("the video failed")
    time.sleep(10)
litellm.video_content(video_id=made.id, custom_llm_provider="openai", **PLACE)
