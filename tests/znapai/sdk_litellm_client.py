"""What a user of litellm writes, as a script: it prints what the library gave back."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

# By name, because the library is not installed where the types of this file are checked.
litellm: Any = importlib.import_module("litellm")

POLLS_MAX = 5


def main() -> None:
    place = {"api_base": os.environ["API_BASE"], "api_key": os.environ["API_KEY"]}
    video = {"model": "openai/sora-2", "prompt": "A paper boat", "seconds": "4", **place}
    made = litellm.video_generation(size="1280x720", **video)
    statuses = [made.status]
    for _ in range(POLLS_MAX):
        read = litellm.video_status(video_id=made.id, **place)
        statuses.append(read.status)
        if read.status == "completed":
            break
    content = litellm.video_content(video_id=made.id, **place)
    try:
        litellm.video_generation(size="1920x1080", **video)
        error = "none"
    except litellm.BadRequestError as raised:
        error = type(raised).__name__
    detail = {"statuses": statuses, "begins": content[4:8].hex(), "error": error}
    # The library writes about its errors to the same place; the last line is ours.
    sys.stdout.write("\n" + json.dumps(detail))


if __name__ == "__main__":
    main()
