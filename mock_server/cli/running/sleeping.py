"""Sleeps of a program in Python or Node.js, which move the clock of its world."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

#: Python imports this module at its start.
_SITE = """\
import os, sys
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize
except ImportError:
    pass
try:
    from screentest.fixtures.child import follow_sleeps
except ImportError:
    pass
else:
    follow_sleeps()
"""


def following_sleeps(folder: Path, world_id: str, beside: Mapping[str, str]) -> Mapping[str, str]:
    """The variables by which the processes of a program run in the time of a world.

    SCREENTEST_URL names its mock. *folder* gets what Python loads. *beside* are further variables
    of the program, whose options of Node.js are kept.
    """
    Path(folder, "sitecustomize.py").write_text(_SITE)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    hook = Path(str(files("screentest.fixtures"))).resolve() / "child.mjs"
    options = beside.get("NODE_OPTIONS", os.environ.get("NODE_OPTIONS", ""))
    return {
        "SCREENTEST_WORLD": world_id,
        "PYTHONPATH": os.pathsep.join(paths),
        "NODE_OPTIONS": f"{options} --import={hook.as_uri()}".strip(),
    }
