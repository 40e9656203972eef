"""OpenAI's own library at ZnapAI: its one call that creates, waits and returns, then the file."""

from openai import OpenAI

client = OpenAI()
video = client.videos.create_and_poll(model="sora-2", prompt="A lamp", seconds="4")
if video.status != "completed":
    raise SystemExit(f"the video ended as {video.status}")
client.videos.download_content(video.id).read()
