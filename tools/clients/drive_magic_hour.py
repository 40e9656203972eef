"""Magic Hour's own library: its one call that creates, waits and downloads."""

import os
import tempfile

from magic_hour import Client

client = Client(token=os.environ["MAGIC_HOUR_API_KEY"], base_url=os.environ["MAGIC_HOUR_BASE_URL"])
with tempfile.TemporaryDirectory() as folder:
    video = client.v1.text_to_video.generate(
        end_seconds=5.0,
        style={"prompt": "a lamp"},
        wait_for_completion=True,
        download_outputs=True,
        download_directory=folder,
    )
if video.status != "complete":
    raise SystemExit(f"the video ended as {video.status}")
