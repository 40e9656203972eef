"""Paid jobs that had not ended with their run, stored in a file so that none is paid twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.json_types import Json

_FINGERPRINT_DIGITS = 16


class JournalError(Exception):
    """Open jobs cannot be kept: the file or its folder cannot be used."""


class BadJournalError(JournalError):
    """The file holds something else, which must not be lost."""


class JobPlace(Struct, frozen=True):
    """The owner of jobs: a provider, its address, and the account, as a digest of its key."""

    provider: str
    url: str
    account: str


class OpenJob(Struct, frozen=True):
    """An accepted job. It has ids only, no key and no answer.

    *asked* is a digest of its request: only the same request resumes it. *pending* credits are
    charged when it succeeds.
    """

    place: JobPlace
    kind: str
    asked: str
    ids: Mapping[str, Json]
    pending: int = 0


class _Journal(Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    open_jobs: tuple[OpenJob, ...]


@dataclass(slots=True)
class OpenJobs:
    """The open jobs at one *place*; those at others stay in the file as they are.

    *on_resume* gets each job of an earlier run before it is resumed.

    Raises:
        JournalError: *path* is there, and was not written by this class.
    """

    path: Path
    place: JobPlace
    on_resume: Callable[[OpenJob], None] = lambda job: None
    found: tuple[OpenJob, ...] = field(init=False)
    _earlier: tuple[OpenJob, ...] = field(init=False)
    _current: tuple[OpenJob, ...] = ()

    def __post_init__(self) -> None:
        self.found = _read(self.path)
        self._earlier = tuple(it for it in self.found if it.place == self.place)

    def note(self, kind: str, asked: str, ids: Mapping[str, Json], pending: int) -> OpenJob:
        """Remember a job that was just accepted."""
        job = OpenJob(self.place, kind, asked, dict(ids), pending)
        self._current = (*self._current, job)
        self._save((*self.found, job))
        return job

    def left_over(self, kind: str, asked: str) -> Sequence[OpenJob]:
        """The jobs of an earlier run that answer the same request and are not resumed yet."""
        return [it for it in self._earlier if (it.kind, it.asked) == (kind, asked)]

    def resume(self, job: OpenJob) -> None:
        """Resume *job*, so that no other scenario does."""
        self._earlier = tuple(it for it in self._earlier if it != job)
        self._current = (*self._current, job)

    def forget(self, job: OpenJob) -> None:
        """Remove *job*, which has ended or no longer exists."""
        self._earlier = tuple(it for it in self._earlier if it != job)
        self._current = tuple(it for it in self._current if it != job)
        if job in self.found:
            self._save(tuple(it for it in self.found if it != job))

    def end_scenario(self, *, is_done: bool) -> None:
        """Remove the jobs of a scenario that *is_done*; those of another stay for the next."""
        current, self._current = self._current, ()
        if is_done:
            for job in current:
                self.forget(job)
        else:
            self._earlier = (*self._earlier, *current)

    def _save(self, jobs: tuple[OpenJob, ...]) -> None:
        """Write the file. An interruption leaves the old file or the new one, never a part."""
        self.found = jobs
        text = msgspec.json.format(msgspec.json.encode(_Journal(jobs)), indent=1)
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            beside.write_bytes(text + b"\n")
            beside.replace(self.path)
        except OSError as error:
            raise JournalError(f"cannot write {self.path}: {error.strerror}") from None


def _read(path: Path) -> tuple[OpenJob, ...]:
    if not path.exists():
        return ()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Journal).open_jobs
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadJournalError(f"{path} is not a journal of open jobs; name another file") from None


def place_of(provider: str, url: str, keys: Sequence[str]) -> JobPlace:
    """The place of the jobs of *keys*. The digest distinguishes accounts and shows no key."""
    return JobPlace(provider, url.rstrip("/"), _fingerprint(" ".join((url, *keys))))


def journal_in(folder: Path, place: JobPlace) -> Path:
    """The file of *place* in *folder*. Runs at different places never share a file.

    Raises:
        JournalError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        detail = f"cannot make {folder}: {error.strerror}; name a file with --journal"
        raise JournalError(detail) from None
    return folder / f"{place.provider}-{_fingerprint(f'{place.url} {place.account}')}.json"


def asked_by(plan: RequestPlan) -> str:
    """A digest of a request, the same in every run."""
    return _fingerprint(repr(plan))


def _fingerprint(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]
