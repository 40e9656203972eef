"""The navigation of the documentation site: the sections and links of its first page.

MkDocs calls it as a hook, so that a page is listed in one place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_LINE = re.compile(r"## (?P<section>.+)|- \[(?P<title>[^\]]+)\]\((?P<file>[^)]+)\)")


def on_config(config: Any) -> Any:
    """*config* with the navigation that `index.md` lists."""
    nav: list[Any] = [{"screentest": "index.md"}]
    text = Path(config["docs_dir"], "index.md").read_text(encoding="utf-8")
    for line in filter(None, map(_LINE.fullmatch, text.splitlines())):
        if line["section"]:
            nav.append({line["section"]: []})
        else:
            (pages,) = nav[-1].values()
            pages.append({line["title"]: line["file"]})
    config["nav"] = nav
    return config
