"""A real browser plays every clip: headless Chromium, a page of ours, ranges over loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

from screentest.mock_server.media import clips

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

# A slow machine takes some 20 s for all clips; more means that the browser hangs.
ANSWER_S_MAX = 120

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Loads each clip, jumps to three quarters of it, plays from there to the end, and reports.
PAGE = """<!doctype html><meta charset="utf-8"><title>clips</title><script>
const once = (target, name) => new Promise((resolve, reject) => {
  target.addEventListener(name, resolve, {once: true});
  target.addEventListener("error", () => reject(target.error.message), {once: true});
});
async function watch(name) {
  const video = document.createElement("video");
  video.muted = true;
  video.src = "/clip/" + name;
  document.body.replaceChildren(video);
  await once(video, "canplay");
  video.currentTime = video.duration * 0.75;
  await once(video, "seeked");
  const ended = once(video, "ended");
  video.playbackRate = 4;
  await video.play();
  await ended;
  return {width: video.videoWidth, height: video.videoHeight, duration: video.duration,
          frames: video.getVideoPlaybackQuality().totalVideoFrames > 0,
          sound: video.webkitAudioDecodedByteCount > 0, end: video.currentTime};
}
addEventListener("load", async () => {
  const seen = {};
  for (const name of await (await fetch("/names")).json())
    seen[name] = await watch(name).catch(reason => String(reason));
  await fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
});
</script><body></body>"""


@dataclass
class Cinema:
    """What the page may ask for, and what it reported."""

    clips: dict[str, bytes]
    seen: Queue[dict[str, Any]] = field(default_factory=Queue[dict[str, Any]])
    ranges: list[str] = field(default_factory=list[str])


class Handler(BaseHTTPRequestHandler):
    """Just enough HTTP for a video element: whole bodies, and one range at a time."""

    protocol_version = "HTTP/1.1"

    def __init__(self, cinema: Cinema, *arguments: Any) -> None:
        self.cinema = cinema
        super().__init__(*arguments)

    def do_GET(self) -> None:
        name = self.path.removeprefix("/clip/")
        if self.path == "/":
            self.answer(PAGE.encode(), "text/html")
        elif self.path == "/names":
            self.answer(json.dumps(sorted(self.cinema.clips)).encode(), "application/json")
        elif name in self.cinema.clips:
            self.answer_range(self.cinema.clips[name])
        else:
            self.answer(b"", "text/plain", status=404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.cinema.seen.put(json.loads(body))
        self.answer(b"", "text/plain")

    def answer_range(self, data: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return self.answer(data, "video/mp4")
        self.cinema.ranges.append(asked[0])
        first, last = int(asked[1]), int(asked[2] or len(data) - 1)
        return self.answer(
            data[first : last + 1],
            "video/mp4",
            status=206,
            content_range=f"bytes {first}-{min(last, len(data) - 1)}/{len(data)}",
        )

    def answer(
        self, body: bytes, content_type: str, *, status: int = 200, content_range: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test's output is for the test."""


@pytest.fixture
def cinema() -> Iterator[tuple[Cinema, str]]:
    """A server on loopback with every clip, stamped; and its address."""
    films = {clip.name: clips.video_bytes(clip, stamp={"job": clip.name}) for clip in clips.clips()}
    cinema = Cinema(films)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, cinema))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield cinema, f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_chromium_plays_every_stamped_clip(cinema: tuple[Cinema, str], tmp_path: Path) -> None:
    """Size, length, a jump into the middle, picture, sound, and the end reached."""
    served, url = cinema

    seen = visit(url, served, tmp_path)

    assert seen == {
        clip.name: {
            "width": clip.width,
            "height": clip.height,
            "duration": clip.duration_ms / 1_000,
            "frames": True,
            "sound": True,
            "end": clip.duration_ms / 1_000,
        }
        for clip in clips.clips()
    }


def visit(url: str, served: Cinema, profile: Path) -> dict[str, Any]:
    """What the page at *url* reports when Chromium opens it with an empty *profile*."""
    assert CHROMIUM is not None
    browser = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return served.seen.get(timeout=ANSWER_S_MAX)
    except Empty:
        pytest.fail(f"Chromium did not report within {ANSWER_S_MAX} s; it asked {served.ranges!r}")
    finally:
        browser.terminate()
        browser.wait(timeout=20)
