"""The vendors' own SDKs for Node.js, unmodified, at the contracts of the examples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..tree import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.sdk, pytest.mark.npm]

#: By example: the package, and what its program prints.
_PRINTED: dict[str, tuple[str, list[Json]]] = {
    "luma": (
        "lumaai",
        [
            ["made", "completed", "ftyp"],
            ["failed", "failed", "the lamp broke"],
            ["listed", 1, True, True],
            ["gone", 404],
            ["busy", [429]],
            ["refused", 402, 0],
        ],
    ),
    "runway": (
        "runwayml",
        [
            ["made", "SUCCEEDED", "ftyp"],
            ["failed", True, "the lamp broke"],
            ["canceled", "CANCELLED"],
            ["refused", 400, 0],
        ],
    ),
    "replicate": (
        "replicate",
        [
            ["made", "succeeded", "ftyp"],
            ["failed", "Prediction failed: the lamp broke"],
            ["canceled", "canceled"],
            ["listed", 3, True],
            ["refused", 402],
        ],
    ),
    "magic_hour": (
        "magic-hour",
        [
            ["made", "complete", "ftyp"],
            ["failed", "error", "the lamp broke"],
            ["gone", 404],
            ["refused", 402],
        ],
    ),
}


@pytest.mark.parametrize("example", _PRINTED)
def test_the_sdk_makes_polls_downloads_and_is_refused(
    example: str, node_modules: Path, tmp_path: Path
) -> None:
    package, expected = _PRINTED[example]
    command = [sys.executable, "-P", "-m", "screentest.mock_server.cli", "run"]
    options = ["--contract", str(ROOT / "examples" / example), "--provider", example]
    program = ROOT / "tests" / "examples" / "node" / f"{package}.cjs"

    done = subprocess.run(
        [*command, *options, "--clock", "auto", "--", "node", str(program)],
        cwd=tmp_path,
        env={**os.environ, "NODE_PATH": str(node_modules)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    # The SDK of Magic Hour logs between the lines.
    lines = [it for it in done.stdout.splitlines() if it.startswith('["')]
    assert [json.loads(it) for it in lines] == expected, done.stderr
