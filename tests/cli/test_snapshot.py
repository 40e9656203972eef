"""`screentest snapshot`: a world goes from one process to another in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live_mock import LiveMock

from .conftest import Shell, World
from .serving import Served, serving_mock

_DAMAGED = (
    "error: the snapshot was changed or cut short: its last line is not the digest of the others\n"
)


def _means(shell: Shell, served: Served) -> Shell:
    """The same shell, for which *served* is the mock."""
    return Shell(shell.folder, {"SCREENTEST_URL": served.url})


def _folder(shell: Shell, name: str) -> Shell:
    (shell.folder / name).mkdir()
    return Shell(shell.folder / name)


@pytest.mark.long
def test_world_goes_on_in_a_second_process_and_in_its_database(shell: Shell) -> None:
    first, second = _folder(shell, "first"), _folder(shell, "second")
    with serving_mock(first, "--clock", "manual", "--seed", "7") as served:
        job = served.send("POST", "/api/v1/videos/generate", {"prompt": "A lamp"})[1]
        served.advance(2_000)
        path = f"/api/v1/videos/{job['videoId']}/jobs/{job['jobId']}"
        before = served.send("GET", path)
        saved = _means(first, served).run("snapshot", "save", "../world.jsonl")
    options = ("--clock", "manual", "--seed", "99", "--db", "mock.db")
    with serving_mock(second, *options) as served:
        restored = _means(second, served).run("snapshot", "restore", "../world.jsonl")
        listed = _means(second, served).run("snapshot", "list", "--json").json
    (second.folder / "ready.json").unlink()
    with serving_mock(second, *options) as served:
        after = served.send("GET", path)
        served.advance(600_000)
        ended = served.send("GET", path)[1]["status"]

    assert (saved.code, saved.out) == (0, "")
    assert saved.err == "saved world 'default' to ../world.jsonl\n"
    assert (restored.code, restored.out, listed) == (0, "", [])
    assert restored.err.startswith("restored world 'default' from ../world.jsonl: its time is 20")
    assert (after, ended) == (before, "completed")
    assert (shell.folder / "world.jsonl").stat().st_mode & 0o777 == 0o600


def test_snapshot_passes_through_a_pipe(world: World) -> None:
    saved = world.run("snapshot", "save", "-")

    lines = [json.loads(line) for line in saved.out.splitlines()]
    assert (saved.code, saved.err) == (0, "")
    assert (lines[0]["screentest"], list(lines[-1])) == ("snapshot", ["sha256"])


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda it: it[: len(it) // 2], _DAMAGED),
        (lambda it: it.replace('"available":10,', '"available":99,', 1), _DAMAGED),
        (
            lambda it: '{"openapi": "3.1.0"}\n',
            "error: the snapshot has no first line of a snapshot of format 2: "
            "Object contains unknown field `openapi`\n",
        ),
        (lambda it: "", "error: the snapshot is empty\n"),
    ],
    ids=["cut short", "richer", "foreign", "empty"],
)
def test_damaged_file_is_refused_in_one_line_and_changes_nothing(
    world: World, spoil: Callable[[str], str], detail: str
) -> None:
    file = world.shell.folder / "world.jsonl"
    world.run("snapshot", "save", "world.jsonl")
    file.write_text(spoil(file.read_text()))
    world.start_job()

    refused = world.run("snapshot", "restore", "world.jsonl")

    assert (refused.code, refused.out, refused.err) == (4, "", detail)
    assert len(world.run("jobs", "--json").json) == 1
    assert world.run("snapshot", "list", "--json").json == []


def test_file_that_is_not_text_is_refused(world: World) -> None:
    (world.shell.folder / "world.jsonl").write_bytes(b"\x80\x04\x95")

    refused = world.run("snapshot", "restore", "world.jsonl")

    assert (refused.code, refused.out) == (4, "")
    assert refused.err == "error: world.jsonl is not a snapshot: it is not UTF-8\n"


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        (("restore", "nowhere"), "error: cannot read nowhere: the file does not exist\n"),
        (("save", "no/folder"), "error: cannot write no/folder: its folder does not exist\n"),
    ],
)
def test_file_that_cannot_be_opened_is_a_one_line_error(
    world: World, words: tuple[str, ...], detail: str
) -> None:
    refused = world.run("snapshot", *words)

    assert (refused.code, refused.out, refused.err) == (2, "", detail)


def test_saving_replaces_a_file_whole_and_leaves_nothing_beside_it(world: World) -> None:
    file: Path = world.shell.folder / "world.jsonl"
    file.write_text("an older one")

    world.run("snapshot", "save", "world.jsonl")

    assert file.read_text().startswith('{"screentest":"snapshot","format":2,')
    assert [it.name for it in world.shell.folder.iterdir()] == ["world.jsonl"]


def test_saving_and_restoring_say_in_json_what_was_done(world: World) -> None:
    saved = world.run("snapshot", "save", "world.jsonl", "--json")
    restored = world.run("snapshot", "restore", "world.jsonl", "--json")
    piped = world.run("snapshot", "save", "-", "--json")

    size_bytes = (world.shell.folder / "world.jsonl").stat().st_size
    assert saved.json == {"world": world.id, "file": "world.jsonl", "size_bytes": size_bytes}
    assert (restored.json["id"], restored.json["new_keys"]) == (world.id, [])
    assert (piped.code, piped.out) == (2, "")


def test_restoring_beside_the_world_itself_says_that_keys_are_new(
    world: World, live: LiveMock
) -> None:
    other = live.world(seed=8)["id"]
    world.run("snapshot", "save", "world.jsonl")

    detail = world.run("snapshot", "restore", "world.jsonl", "--world", other)

    assert detail.code == 0
    assert detail.err.splitlines()[1] == (
        "another world uses the old keys; `screentest env` prints the new ones"
    )
