"""Luma's own library. It has no call that waits."""

import os
import time

from lumaai import LumaAI

client = LumaAI(auth_token=os.environ["LUMAAI_API_KEY"])
made = client.generations.create(model="ray-2", prompt="A lamp", duration="5s")
for _ in range(100):
    generation = client.generations.get(id=made.id)
    if generation.state == "completed":
        break
    if generation.state == "failed":
        raise SystemExit(generation.failure_reason)
    time.sleep(10)
