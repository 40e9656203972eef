"""Runway's own library: it waits for the output."""

import os

from runwayml import RunwayML

client = RunwayML(base_url=os.environ["RUNWAYML_BASE_URL"])
task = client.image_to_video.create(
    model="gen4_turbo",
    prompt_image="https://example.org/lamp.png",
    prompt_text="a lamp",
    ratio="1280:720",
    duration=5,
)
task.wait_for_task_output()
