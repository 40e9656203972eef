"""The files of `screentest serve`: its database, and the one that says that it listens."""

from __future__ import annotations

import json
import os

import pytest

from .conftest import Shell
from .serving import serving_mock


@pytest.mark.long
def test_world_of_a_file_is_resumed_and_conflicting_options_are_reported(shell: Shell) -> None:
    made = ("--db", "q.db", "--seed", "3", "--clock", "manual")
    with serving_mock(shell, *made) as served:
        served.stop()
    with serving_mock(shell, "--db", "q.db", SCREENTEST_PACE="fast") as served:
        _, from_variable = served.stop()
    with serving_mock(shell, "--db", "q.db", "--seed", "4", "--clock", "auto") as served:
        shown = served.control("GET", "")[1]
        _, detail = served.stop()
    with serving_mock(shell, *made) as served:
        _, same = served.stop()

    assert (shown["seed"], shown["clock"]["mode"]) == (3, "manual")
    assert detail == [
        "warning: q.db keeps its seed 3; seed 4 needs a new file",
        "warning: q.db keeps its clock manual; clock auto needs a new file",
    ]
    assert from_variable == [
        "warning: q.db keeps its pace 1; pace fast needs a new file",
    ]
    assert same == []


def test_a_host_that_others_reach_warns_of_the_keys_of_the_default_seed(shell: Shell) -> None:
    exposed = ("--host", "0.0.0.0", "--control-token", "0123456789abcdef")
    with serving_mock(shell, *exposed) as served:
        _, detail = served.stop()
    with serving_mock(shell, *exposed, "--seed", "7") as served:
        _, with_a_seed = served.stop()

    assert detail == [
        "warning: --host 0.0.0.0 can be reached by others, and the keys of seed 1 are the same "
        "everywhere; give a --seed of your own"
    ]
    assert with_a_seed == []


def test_database_and_what_lies_beside_it_are_for_their_owner_alone(shell: Shell) -> None:
    before = os.umask(0o022)
    try:
        with serving_mock(shell, "--db", "q.db") as served:
            served.send("GET", "/api/v1/videos")
            modes = {
                path.name: path.stat().st_mode & 0o777
                for path in shell.folder.iterdir()
                if path.name.startswith("q.db")
            }
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("q.db", "q.db-wal"), 0o600)


def test_ready_file_is_there_only_while_the_mock_listens(shell: Shell) -> None:
    ready = shell.folder / "ready.json"
    with serving_mock(shell) as served:
        was_there = ready.exists()
        served.stop()
    ready_after = ready.exists()
    ready.write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": 1}))
    (shell.folder / "q.db").write_text("no database")

    failed = shell.run("serve", "--port", "0", "--ready-file", "ready.json", "--db", "q.db")

    assert (was_there, ready_after) == (True, False)
    assert (failed.code, ready.exists()) == (2, False)
