"""The lines that `serve` prints for requests, and the counts of its summary.

A separate thread prints the lines several times a second, so that no request waits for a terminal.
After a screenful it prints few lines each time and counts the rest: thousands of lines a second
would take much of the processor.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from screentest.specs.json_types import Json

from .request_line import json_lines, request_lines

if TYPE_CHECKING:
    from ..pipeline.journal import JournalLine

_EVERY_S = 0.05
#: Printed each time, and so many under a load that lasts: more would take much of the processor.
_WAITING_MAX, _WAITING_MAX_UNDER_LOAD = 50, 5
_CLOSE_S_MAX = 0.3


class RequestLog:
    """Counts every request, and prints it to *stream* unless *is_quiet*, *as_json* or as text."""

    def __init__(self, stream: TextIO, *, is_quiet: bool, as_json: bool = False) -> None:
        self._stream = stream
        self._is_quiet = is_quiet
        self._lines = json_lines if as_json else request_lines
        self._as_json = as_json
        if as_json:
            _log_as_json(stream)
        self._lock = threading.Lock()
        self._requests = 0
        self._findings: Counter[tuple[str, str]] = Counter()
        self._left_out = 0
        self._waiting_max = _WAITING_MAX
        self._waiting: deque[tuple[JournalLine, str, float]] = deque()
        self._has_lines = threading.Event()
        self._is_closed = threading.Event()
        self._printer = threading.Thread(target=self._print_all, daemon=True)
        if not is_quiet:
            self._printer.start()

    def note(self, noted: JournalLine, world_id: str, took_ms: float) -> None:
        """Count the journal line *noted*, and queue it for printing."""
        with self._lock:
            self._requests += 1
            for verdict in noted.verdicts:
                self._findings[verdict] += 1
            if self._is_quiet:
                return
            if len(self._waiting) >= self._waiting_max:
                self._left_out += 1
                return
            self._waiting.append((noted, world_id, took_ms))
        if not self._has_lines.is_set():
            self._has_lines.set()

    def counts(self, others: Mapping[tuple[str, str], int]) -> Json:
        """The number of requests, and of findings by code.

        *others* are counts by code and severity of findings that no request shows.
        """
        with self._lock:
            findings = [
                {"code": code, "severity": severity, "count": count}
                for (code, severity), count in sorted((self._findings + Counter(others)).items())
            ]
            return {"requests": self._requests, "findings": findings}

    def close(self) -> None:
        """Print the queued lines, and stop."""
        if not self._is_quiet:
            self._is_closed.set()
            self._has_lines.set()
            self._printer.join(_CLOSE_S_MAX)

    def _print_all(self) -> None:
        while not self._is_closed.is_set():
            self._has_lines.wait()
            self._has_lines.clear()
            if not self._print():
                return  # stderr was closed; requests are still answered
            self._is_closed.wait(_EVERY_S)
        self._print()

    def _print(self) -> bool:
        """Print the queued lines; False when the stream is closed."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            left_out, self._left_out = self._left_out, 0
            self._waiting_max = _WAITING_MAX_UNDER_LOAD if left_out else _WAITING_MAX
        detail = [
            text
            for noted, world_id, took_ms in waiting
            for text in self._lines(noted.line, self._stream, took_ms=took_ms, world_id=world_id)
        ]
        if left_out and self._as_json:
            detail.append(json.dumps({"level": "info", "left_out": left_out}))
        elif left_out:
            detail.append(f"… and {left_out} requests that came too fast to print")
        try:
            # One write: a terminal is flushed after each of them.
            self._stream.write("".join(f"{text}\n" for text in detail))
            self._stream.flush()
        except (OSError, ValueError):
            return False
        return True


def summary(counts: Mapping[str, Json]) -> str:
    """The summary: `12 requests: 2 errors, 1 warning (SC102 ×2, SC201 ×1)`, and the next step."""
    findings = counts["findings"]
    requests = _counted(counts["requests"], "request")
    if not findings:
        return f"{requests}, no findings"
    sums = {
        severity: sum(it["count"] for it in findings if it["severity"] == severity)
        for severity in ("error", "warning")
    }
    detail = ", ".join(_counted(count, severity) for severity, count in sums.items() if count)
    worst = next((it for it in findings if it["severity"] == "error"), findings[0])
    codes = ", ".join(f"{it['code']} ×{it['count']}" for it in findings)
    return f"{requests}: {detail} ({codes}); see `screentest explain {worst['code']}`"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


class _JsonFormat(logging.Formatter):
    """A record of `logging` as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        shown = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            shown["traceback"] = self.formatException(record.exc_info)
        return json.dumps(shown)


def _log_as_json(stream: TextIO) -> None:
    """Write everything that this process logs to *stream*, one JSON object a line."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormat())
    logging.basicConfig(handlers=[handler], force=True)
