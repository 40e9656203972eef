"""The lines that `serve` prints, and what it counts for its verdict.

Requests are not kept waiting for a terminal: lines go through a bounded queue to a thread of their
own, and what does not fit is counted instead of printed.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, TextIO

from .request_line import request_lines

Json = Any

_WAITING_MAX = 2_000
_CLOSE_S_MAX = 2.0


class RequestLog:
    """Counts every request, and prints it on *stream* unless *is_quiet*."""

    def __init__(self, stream: TextIO, *, is_quiet: bool) -> None:
        self._stream = stream
        self._is_quiet = is_quiet
        self._lock = threading.Lock()
        self._requests = 0
        self._findings: Counter[tuple[str, str]] = Counter()
        self._left_out = 0
        self._waiting: queue.Queue[tuple[Json, str, float] | None] = queue.Queue(_WAITING_MAX)
        self._printer = threading.Thread(target=self._print, daemon=True)
        if not is_quiet:
            self._printer.start()

    def note(self, line: Json, world: str, took_ms: float) -> None:
        """Count the journal's *line*, and let it be printed."""
        with self._lock:
            self._requests += 1
            for finding in line.get("violations", ()):
                self._findings[finding["code"], finding.get("severity", "error")] += 1
        if self._is_quiet:
            return
        try:
            self._waiting.put_nowait((line, world, took_ms))
        except queue.Full:
            with self._lock:
                self._left_out += 1

    def counts(self) -> Json:
        """How many requests there were, and findings by code."""
        with self._lock:
            findings = [
                {"code": code, "severity": severity, "count": count}
                for (code, severity), count in sorted(self._findings.items())
            ]
            return {"requests": self._requests, "findings": findings}

    def close(self) -> None:
        """Print what waits, and stop."""
        if not self._is_quiet:
            self._waiting.put(None, timeout=_CLOSE_S_MAX)
            self._printer.join(_CLOSE_S_MAX)

    def _print(self) -> None:
        while (noted := self._waiting.get()) is not None:
            line, world, took_ms = noted
            told = list(request_lines(line, self._stream, took_ms=took_ms, world=world))
            with self._lock:
                left_out, self._left_out = self._left_out, 0
            if left_out:
                told.append(f"… and {left_out} requests that came too fast to print")
            try:
                self._stream.write("\n".join(told) + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # nobody reads any more; requests are answered all the same


def verdict(counts: Mapping[str, Json]) -> str:
    """`12 requests: 2 errors, 1 warning (SC102 ×2, SC201 ×1)`, and what to do about it."""
    findings = counts["findings"]
    requests = _counted(counts["requests"], "request")
    if not findings:
        return f"{requests}, nothing to complain of"
    sums = {
        severity: sum(it["count"] for it in findings if it["severity"] == severity)
        for severity in ("error", "warning")
    }
    told = ", ".join(_counted(count, severity) for severity, count in sums.items() if count)
    codes = ", ".join(f"{it['code']} ×{it['count']}" for it in findings)
    return f"{requests}: {told} ({codes}); see `screentest explain {findings[0]['code']}`"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
