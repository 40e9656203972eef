"""Write the footage in `fixtures/media/`: a small film leader in every size we serve.

Run `python -m tools.media.make` (needs PyAV and Pillow, both for development only) after a change
here, look at the pictures, and commit the files with their `index.json`. The package does not
import this module at run time.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from .drawing import draw_page, draw_poster, draw_spritesheet, make_card
from .encoding import encode

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "media"

# Everything together, so that the wheel stays small.
TOTAL_BYTES_MAX = 1_500_000

# width, height, frames per second, seconds
CLIPS = (
    *((width, height, 30, 4) for width, height in ((1280, 720), (1920, 1080), (3840, 2160))),
    *((width, height, 30, 4) for width, height in ((720, 1280), (1080, 1920), (2160, 3840))),
    *(
        (width, height, 24, seconds)
        for width, height in ((720, 1280), (1280, 720), (1024, 1792), (1792, 1024))
        for seconds in (4, 8, 12)
    ),
    *((1080, 1080, 24, seconds) for seconds in (4, 8, 10)),
    (1920, 1080, 24, 10),
    (1080, 1920, 24, 10),
    (1280, 720, 25, 8),
)

# kind, width, height, suffix
STILLS = (
    ("poster", 640, 360, "jpg"),
    ("poster", 360, 640, "jpg"),
    ("poster", 640, 640, "jpg"),
    ("preview", 640, 360, "webp"),
    ("preview", 360, 640, "webp"),
    ("spritesheet", 640, 360, "jpg"),
    ("spritesheet", 360, 640, "jpg"),
    ("page", 960, 540, "png"),
)


def main() -> int:
    """Write every file and the index; 1 if they are too big together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder (default: %(default)s)")
    folder: Path = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    index = {
        "clips": [_write_clip(folder, *clip) for clip in CLIPS],
        "stills": [_write_still(folder, *still) for still in STILLS],
    }
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    total_bytes = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(CLIPS)} clips, {len(STILLS)} stills, {total_bytes:,} bytes in {folder}")
    if total_bytes > TOTAL_BYTES_MAX:
        print(f"too big: at most {TOTAL_BYTES_MAX:,} bytes are allowed", file=sys.stderr)
        return 1
    return 0


def _write_clip(
    folder: Path, width: int, height: int, fps: int, seconds: int
) -> dict[str, str | int]:
    name = f"{width}x{height}-{fps}fps-{seconds}s.mp4"
    card = make_card(width, height, fps)
    encode(folder / name, card, seconds)
    size_bytes = (folder / name).stat().st_size
    print(f"{size_bytes:>9,}  {name}", flush=True)
    return {
        "name": name,
        "width": width,
        "height": height,
        "fps": fps,
        "duration_ms": seconds * 1_000,
        "size_bytes": size_bytes,
    }


def _write_still(
    folder: Path, kind: str, width: int, height: int, suffix: str
) -> dict[str, str | int]:
    name = f"{kind}-{width}x{height}.{suffix}"
    draw = {"spritesheet": draw_spritesheet, "page": draw_page}.get(kind, draw_poster)
    picture = draw(width, height)
    # A document's page has few colours and sharp letters, which is what a palette is for.
    options: dict[str, Any] = {
        "jpg": {"format": "JPEG", "quality": 74, "optimize": True},
        "webp": {"format": "WEBP", "quality": 80, "method": 6},
        "png": {"format": "PNG", "optimize": True},
    }[suffix]
    if suffix == "png":
        picture = picture.quantize(32)
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    (folder / name).write_bytes(buffer.getvalue())
    print(f"{buffer.tell():>9,}  {name}", flush=True)
    return {
        "name": name,
        "kind": kind,
        "width": width,
        "height": height,
        "size_bytes": buffer.tell(),
    }


if __name__ == "__main__":
    sys.exit(main())
