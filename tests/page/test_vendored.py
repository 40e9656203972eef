"""The files from npm are those of the package that `vendor.json` names."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tarfile
from hashlib import sha512
from pathlib import Path

import pytest

from screentest.specs.json_types import Json
from tests.tree import ROOT

ASSETS = ROOT / "mock_server" / "http" / "ui" / "assets"
VENDOR = ASSETS / "vendor"
NOTED = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))


def test_no_file_of_the_page_names_another_host() -> None:
    """The one address is that of the SVG namespace, which nothing fetches."""
    files = [*ASSETS.glob("*.*"), *ASSETS.parent.glob("templates/*.html")]

    found = {
        address
        for path in files
        for address in re.findall(r"https?://[^\"'\s)]+", path.read_text(encoding="utf-8"))
    }

    assert len(files) > 10
    assert found == {"http://www.w3.org/2000/svg", "http://127.0.0.1:9000/hook"}


@pytest.mark.slow
@pytest.mark.npm
@pytest.mark.parametrize("noted", NOTED, ids=lambda it: it["name"])
def test_vendored_files_are_those_of_the_package(noted: Json, tmp_path: Path) -> None:
    name = f"{noted['name']}@{noted['version']}"
    subprocess.run(["npm", "pack", "--silent", name], cwd=tmp_path, check=True, timeout=120)
    archive = next(tmp_path.glob("*.tgz"))

    digest = base64.b64encode(sha512(archive.read_bytes()).digest()).decode()

    assert f"sha512-{digest}" == noted["integrity"]
    with tarfile.open(archive) as opened:
        for ours, theirs in noted["files"].items():
            original = opened.extractfile(f"package/{theirs}")
            assert original is not None
            assert original.read() == (VENDOR / ours).read_bytes()
