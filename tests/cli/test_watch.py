"""`serve --watch`: a saved contract is served at once, and a broken one is not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..tree import ROOT
from .conftest import Shell, send
from .serving import Served, serving_mock

_PATIENCE_S = 20.0


@pytest.fixture
def folder(shell: Shell) -> Path:
    source = ROOT / "examples" / "pack" / "screentest_lamp"
    return Path(shutil.copytree(source, shell.folder / "lamp"))


@pytest.fixture
def served(shell: Shell, folder: Path) -> Iterator[Served]:
    options = ("--contract", str(folder), "--provider", "lamp", "--clock", "manual", "--watch")
    with serving_mock(shell, *options) as found:
        yield found


def _call(served: Served, method: str, path: str, body: Json = None) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {served.env['LAMP_API_KEY']}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return send(method, served.env["LAMP_BASE_URL"] + path, body, headers)


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def _until(served: Served, is_there: Callable[[str], bool]) -> str:
    ends_s, text = time.monotonic() + _PATIENCE_S, ""
    while time.monotonic() < ends_s:
        text = (served.folder / "err").read_text()
        if is_there(text):
            return text
        time.sleep(0.1)
    raise AssertionError(f"not within {_PATIENCE_S} s: {text}")


def test_a_new_price_counts_at_once_and_the_jobs_stay(served: Served, folder: Path) -> None:
    _, first = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})

    _change(folder / "behaviour.yaml", '"5 * seconds"', '"3 * seconds"')
    text = _until(served, lambda it: "reloaded lamp" in it)
    _, second = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})
    status, still = _call(served, "GET", f"/v1/videos/{first['id']}")

    assert "reloaded lamp: behaviour.yaml: operations.createVideo\n" in text
    assert (first["credits_charged"], second["credits_charged"]) == (20, 12)
    assert (status, still["id"]) == (200, first["id"])


def test_a_mistake_is_printed_with_its_line_and_the_contract_of_before_is_served(
    served: Served, folder: Path
) -> None:
    _change(folder / "behaviour.yaml", "starts: video", "starts: vidoe")
    text = _until(served, lambda it: "not reloaded" in it)
    status, _ = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})

    assert status == 201
    assert f"error: {folder}/behaviour.yaml:" in text
    assert "did you mean 'video'?" in text

    _change(folder / "behaviour.yaml", "starts: vidoe", "starts: video")
    _until(served, lambda it: "reloaded lamp: nothing that matters" in it)


def test_a_world_whose_jobs_do_not_fit_begins_anew(served: Served, folder: Path) -> None:
    _, made = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})

    for name in ("behaviour.yaml", "openapi.yaml"):
        _change(folder / name, "rendering", "drawing")
    text = _until(served, lambda it: "began anew" in it)
    status, _ = _call(served, "GET", f"/v1/videos/{made['id']}")

    assert f"world default began anew: video {made['id']} has the state rendering" in text
    assert status == 404
    assert _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})[0] == 201


def test_what_a_running_server_has_handed_out_needs_a_restart(served: Served, folder: Path) -> None:
    _change(folder / "behaviour.yaml", "provider: {id: lamp}", "provider: {id: torch}")

    text = _until(served, lambda it: "not reloaded" in it)

    assert "provider.id has changed, which needs a restart" in text
    assert _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})[0] == 201


def test_without_a_contract_of_the_users_there_is_nothing_to_watch(shell: Shell) -> None:
    answer = shell.run("serve", "--port", "0", "--watch")

    assert (answer.code, "--watch needs a contract of your own" in answer.err) == (2, True)
