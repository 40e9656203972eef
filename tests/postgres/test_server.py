"""The PostgreSQL server of the tests is found where it is, or the tests say what to install."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from tests.postgres.server import NoPostgresError, PostgresServer, programs

pytestmark = pytest.mark.postgres


def test_programs_are_copied_where_the_user_of_the_server_may_not_read_them(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    real_run, tried = subprocess.run, list[str]()

    def run(command: list[str], **options: object) -> object:
        tried.append(command[0])
        if not command[0].startswith(str(postgres.folder)):
            raise PermissionError(command[0])
        return real_run(command, **options)  # type: ignore[call-overload]  # as they came

    monkeypatch.setattr(subprocess, "run", run)

    found = programs(postgres.folder)

    assert tried[-1] == f"{found}/postgres"
    assert found.is_relative_to(postgres.folder)


def test_a_machine_without_programs_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))

    with pytest.raises(NoPostgresError, match="install requirements-dev.lock"):
        programs(tmp_path)
