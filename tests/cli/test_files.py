"""Files that a verb reads or writes, and what is no ordinary file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from screentest.mock_server.cli.files import input_file, output_file, write_whole
from screentest.mock_server.kernel.errors import MockError


def test_new_file_has_the_permissions_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("before")

    write_whole(path, "after", mode=0o600)

    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o600)
    assert [it.name for it in tmp_path.iterdir()] == ["secret"]


def test_existing_file_beside_it_is_not_written_to(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "secret"
    victim.write_text("mine")
    (tmp_path / "secret.part").symlink_to(victim)

    write_whole(path, "after", mode=0o600)

    assert (victim.read_text(), path.read_text()) == ("mine", "after")


def test_link_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)

    write_whole(link, "through")

    assert (link.is_symlink(), target.read_text()) == (True, "through")


def test_pipe_stays_a_pipe_and_gets_the_text(tmp_path: Path) -> None:
    """A device such as /dev/null must stay a device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()

    write_whole(pipe, "through")

    reader.join(10)
    assert (got, pipe.is_fifo()) == (["through"], True)


def test_word_beside_the_files_is_taken_as_it_is() -> None:
    assert output_file(besides="-").convert("-", None, None) == Path("-")
    assert input_file(besides="-").convert("-", None, None) == Path("-")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the administrator")
def test_what_may_not_be_read_or_written_is_refused_before_the_work(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.touch(mode=0o000)

    with pytest.raises(MockError, match=r"^cannot write .*locked: permission denied$"):
        output_file().convert(path, None, None)
    with pytest.raises(MockError, match=r"^cannot read .*locked: permission denied$"):
        input_file().convert(path, None, None)
