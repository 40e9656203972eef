"""Magic Hour's own SDK finishes a job at a drafted contract, after the edits of the page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from screentest.specs.drafting.drafting import draft_contract
from screentest.specs.drafting.writing import write_contract
from screentest.specs.openapi.document_file import read_document

from ..pages import DOCS, blocks

_SAMPLES = os.environ.get("SCREENTEST_OPENAPI_SAMPLES", "")
_BLOCKS = blocks(DOCS / "starting-a-contract.md")
_EDITS = [text for language, text in _BLOCKS if language == "diff"]
(_SCRIPT,) = (text for language, text in _BLOCKS if language == "python")
_EDITED_LINES_MAX = 10

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _SAMPLES, reason="SCREENTEST_OPENAPI_SAMPLES names no folder"),
]


def _edited(text: str, edit: str) -> str:
    """*text* with an *edit* in the form of a diff, which must fit in one place."""
    lines = edit.splitlines()
    old = "".join(f"{it[1:]}\n" for it in lines if it[0] in " -")
    new = "".join(f"{it[1:]}\n" for it in lines if it[0] in " +")
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_the_official_sdk_finishes_a_job(tmp_path: Path, vendor_python: Path) -> None:
    source = Path(_SAMPLES, "magic_hour.json")
    draft = draft_contract("magic_hour", read_document(source))
    folder = write_contract(tmp_path / "magic_hour", source.read_text(), draft).folder
    rules = folder / "behaviour.yaml"
    for edit in _EDITS:
        rules.write_text(_edited(rules.read_text(), edit))
    script = tmp_path / "drive.py"
    script.write_text(
        "import os\n"
        'api_key = os.environ["MAGIC_HOUR_API_KEY"]\n'
        'base_url = os.environ["MAGIC_HOUR_BASE_URL"]\n'
        f"{_SCRIPT}"
        "print(made.status, made.credits_charged, len(made.downloaded_paths))\n"
    )

    command = [sys.executable, "-P", "-m", "screentest.mock_server.cli", "run"]
    options = ["--contract", str(folder), "--provider", "magic_hour", "--clock", "auto"]
    done = subprocess.run(
        [*command, *options, "--", str(vendor_python), str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stdout.splitlines()[-1] == "complete 450 1", done.stderr
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
    added = [it for edit in _EDITS for it in edit.splitlines() if it.startswith("+")]
    assert len(added) <= _EDITED_LINES_MAX
