"""The lines of the file of a run, as JSON."""

from __future__ import annotations

import fcntl
import os
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from ..traces.trace import Raw, SeenDelivery
from .open_jobs import BadJournalError, JobPlace, JournalError


class Gap(Enum):
    """Why a part was continued: it was parked, or interrupted."""

    NONE = ""
    PARKED = "parked"
    INTERRUPTED = "interrupted"


class Head(Struct, frozen=True, tag="run"):
    """The first line: the server and the account, a digest of the options, and the beginning."""

    place: JobPlace
    options: str
    began_ms: int


class Begun(Struct, frozen=True, tag="begun"):
    """A *part* of the run has begun: a scenario, or what is done after it."""

    part: str
    at_ms: int


class Sent(Struct, frozen=True, tag="sent"):
    """A request is sent that may cost *price*. Without an answer, the server may have taken it."""

    price: int


class Lost(Struct, frozen=True, tag="lost"):
    """That request has no answer; *price* counts as taken, nothing if it was not sent."""

    price: int


class Arrived(Struct, frozen=True, tag="arrived"):
    """A webhook arrived."""

    delivery: SeenDelivery


class Answered(Struct, frozen=True, tag="answered"):
    """The answer to the request with the digest *asked*, and what it changed.

    *gap* says that its part was continued.
    """

    part: str
    asked: str
    raw: Raw
    spent: int
    pending: int
    gap: Gap = Gap.NONE


class Waited(Struct, frozen=True, tag="waited"):
    """The run was there at *at_ms*."""

    at_ms: int


class Parked(Struct, frozen=True, tag="parked"):
    """*part* continues at *until_ms*."""

    part: str
    until_ms: int


class Done(Struct, frozen=True, tag="done"):
    """*part* has nothing more to ask."""

    part: str


Line = Head | Begun | Sent | Lost | Arrived | Answered | Waited | Parked | Done
_DECODER = msgspec.json.Decoder(Line)


def opened(path: Path) -> BinaryIO:
    """The file at *path*, for this process alone.

    Raises:
        JournalError: it cannot be written, or another run uses it.
    """
    try:
        # The answers of a server may have keys and addresses, so others cannot read it.
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from None
    file = open(number, "ab", buffering=0)  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise JournalError(
            f"another run uses {path}, and two would pay twice; wait until it has ended"
        ) from None
    except OSError as error:
        file.close()
        raise JournalError(f"cannot lock {path}: {error.strerror}") from None
    return file


def read_lines(path: Path) -> tuple[list[Line], int]:
    """The lines of a file, and how many bytes they have; what follows the last one was cut."""
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from None
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = [_DECODER.decode(line) for line in whole.splitlines()]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise other_content(path) from None
    if path.exists() and not lines:
        raise other_content(path)
    return lines, len(whole)


def other_content(path: Path) -> BadJournalError:
    return BadJournalError(f"{path} is not the file of a run; name another file")
