"""A machine that misbehaves: no room for uploads, a clock set back, few files, no terminal."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.uploads import Uploads, sweep_uploads
from screentest.mock_server.http.wall_clock import Wall
from tests.live_mock import serving, wait_for_file
from tests.mock_client import START, make_world
from tests.oshara import steps as oshara

_WAIT_S_MAX = 20.0


# --- No room for uploads --------------------------------------------------------------------------


def _without_room(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "missing"))


def test_upload_without_a_temporary_folder_is_answered_503(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = make_world(WsgiClient(create_app()))
    account = world.account("oshara")
    _without_room(monkeypatch, tmp_path)

    answer = account.client.post(oshara.JOBS, form=oshara.LEAST)

    (line,) = world.requests()
    assert (line["response"]["status"], line["reason"]) == (503, "ours:no_room_for_uploads")
    assert "TMPDIR" in line["findings"][0]["actual"]
    assert (answer.status, answer.json()["code"]) == (503, "no_room_for_uploads")
    assert answer.headers["retry-after"] == "1"
    assert "set TMPDIR" in answer.json()["detail"]


def test_upload_works_again_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = make_world(WsgiClient(create_app())).account("oshara")
    with monkeypatch.context() as patch:
        _without_room(patch, tmp_path)
        assert account.client.post(oshara.JOBS, form=oshara.LEAST).status == 503

    assert account.client.post(oshara.JOBS, form=oshara.LEAST).status == 201


def test_server_without_a_temporary_folder_answers_503_over_its_socket(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    with serving(tmp_path, TMPDIR=str(folder)) as live:
        folder.rmdir()

        answer = requests.post(
            f"{live.url}/oshara{oshara.JOBS}", files={"avatar": b"x" * 100}, timeout=10
        )
        (line,) = live.control("GET", "/worlds/default/requests")["items"]

    assert (line["operation"], line["response"]["status"]) == ("createVideoJob", 503)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_room_for_uploads")


def test_end_of_a_server_removes_uploads_that_were_arriving(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    with ExitStack() as lines:
        with serving(tmp_path, TMPDIR=str(folder)) as live:
            port = int(live.url.rpartition(":")[2])
            for _ in range(5):
                line = lines.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                line.sendall(
                    b"POST /oshara/api/video-jobs/ HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Type: multipart/form-data; boundary=b\r\n"
                    b"Content-Length: 4000000\r\n\r\n--b\r\n" + b"x" * 2_000_000
                )
            _wait_until(lambda: any(folder.iterdir()))

        assert list(folder.iterdir()) == []


def test_start_removes_the_uploads_of_processes_that_were_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"screentest-uploads-{ended.pid}-abc"
    (left / "call").mkdir(parents=True)
    (left / "call" / "avatar.jpg").write_bytes(b"x")
    uploads = Uploads()

    with uploads.folder() as mine:
        sweep_uploads()

        assert mine.is_dir()
    assert not left.exists()
    uploads.close()
    assert list(tmp_path.iterdir()) == []


def _wait_until(holds: object) -> None:
    assert callable(holds)
    ends_s = time.monotonic() + _WAIT_S_MAX
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.02)


# --- A clock that is set back ---------------------------------------------------------------------


def test_world_time_goes_on_when_the_machine_sets_its_clock_back() -> None:
    days_s, machine = 86_400.0, [1_800_000_000.0, 0.0]
    wall = Wall(lambda: machine[0], lambda: machine[1])
    world = make_world(WsgiClient(create_app(clock=wall)), clock={"mode": "real", "now": START})
    seen: list[str] = []

    for step_s in (0.0, 40 * days_s, -400 * days_s, 0.0):
        machine[0] += step_s + 60
        machine[1] += 60
        seen.append(world.control.get(f"{world.path}/clock").json()["now"])

    assert seen == [
        "2026-01-01T00:01:00Z",
        "2026-02-10T00:02:00Z",
        "2026-02-10T00:03:00Z",
        "2026-02-10T00:04:00Z",
    ]


# --- Few files, a closed terminal, names of this machine ------------------------------------------


def _served(folder: Path, *words: str, limit: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "screentest.mock_server.cli", "serve", "--port", "0"]
    command += ["--ready-file", str(folder / "ready.json"), "--quiet", *words]
    if limit:
        command = ["bash", "-c", f'{limit}; exec "$@"', "bash", *command]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_server_with_few_files_says_so_and_does_not_spin(tmp_path: Path) -> None:
    server = _served(tmp_path, limit="ulimit -n 80")
    try:
        info = wait_for_file(tmp_path / "ready.json")
        port = int(info["url"].rpartition(":")[2])
        with ExitStack() as lines:
            for _ in range(120):
                lines.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            before_s = _processor_s(server.pid)
            time.sleep(1.0)
            used_s = _processor_s(server.pid) - before_s
        _wait_until(lambda: _is_healthy(info["url"]))
    finally:
        server.terminate()
        _, said = server.communicate(timeout=_WAIT_S_MAX)

    assert used_s < 0.5
    assert b"warning: this process may open 80 files" in said


def _is_healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/_screentest/health", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_server_raises_its_own_limit_of_files(tmp_path: Path) -> None:
    server = _served(tmp_path, limit="ulimit -S -n 64")
    try:
        url = wait_for_file(tmp_path / "ready.json")["url"]
        port = int(url.rpartition(":")[2])
        with ExitStack() as lines:
            for _ in range(150):
                lines.enter_context(socket.create_connection(("127.0.0.1", port), 5))

            assert _is_healthy(url)
    finally:
        server.terminate()
        _, said = server.communicate(timeout=_WAIT_S_MAX)
    assert said == b""


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM], ids=lambda it: it.name)
def test_server_ends_with_its_terminal(tmp_path: Path, how: signal.Signals) -> None:
    server = _served(tmp_path, "--host", "localhost")
    ready = tmp_path / "ready.json"
    wait_for_file(ready)
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600

    server.send_signal(how)

    assert server.wait(_WAIT_S_MAX) == 0
    assert not ready.exists()


def test_server_that_was_started_with_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    server = _served(tmp_path, limit="trap '' HUP")
    url = wait_for_file(tmp_path / "ready.json")["url"]
    try:
        server.send_signal(signal.SIGHUP)
        time.sleep(0.3)

        assert _is_healthy(url)
    finally:
        server.terminate()
        server.communicate(timeout=_WAIT_S_MAX)
