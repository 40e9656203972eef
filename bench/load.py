"""One load and what came back. wrk sends it: being native, it is not what is measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = 16

#: wrk counts in microseconds and keeps its errors apart; one JSON line is all that is wanted.
_REPORT = """
done = function(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.status, failed.connect + failed.read + failed.write + failed.timeout))
end
"""


class BenchError(RuntimeError):
    """Something that the person at the terminal has to put right."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request that is sent again and again."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def to_lua(self) -> str:
        """A wrk script that sends it and reports as JSON."""
        # JSON strings without control characters are Lua strings, too.
        lines = [f"wrk.method = {json.dumps(self.method)}"]
        lines += [
            f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
            for name, value in self.headers.items()
        ]
        if self.body:
            lines.append(f"wrk.body = {json.dumps(self.body.decode())}")
        return "\n".join(lines) + _REPORT


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of wrk saw. *errors* are answers outside 2xx and 3xx, and broken connections."""

    requests: int
    duration_s: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.duration_s


def pinned(core: int | None) -> Sequence[str]:
    """The command prefix that keeps a process on *core*; nothing where there is one core only."""
    return () if core is None else ("taskset", "-c", str(core))


def require_wrk() -> None:
    """Install wrk from the distribution's packages where it is missing.

    Raises:
        BenchError: it is missing and cannot be installed.
    """
    if shutil.which("wrk"):
        return
    if shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False)
    if not shutil.which("wrk"):
        raise BenchError("wrk is missing; install it first, for instance: sudo apt install wrk")


def measure(request: Request, *, seconds: int, core: int | None) -> Measurement:
    """Send *request* over 16 connections for *seconds*, from *core*."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text(request.to_lua(), encoding="utf-8")
        done = subprocess.run(
            [
                *pinned(core),
                *("wrk", "--threads", "1", "--connections", str(CONNECTIONS)),
                *("--duration", f"{seconds}s", "--script", str(script), request.url),
            ],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise BenchError(f"wrk could not load {request.url}: {done.stderr or done.stdout}")
    seen: dict[str, int] = json.loads(lines[-1])
    return Measurement(
        requests=seen["requests"],
        duration_s=seen["duration_us"] / 1e6,
        p50_ms=seen["p50_us"] / 1e3,
        p99_ms=seen["p99_us"] / 1e3,
        errors=seen["refused"] + seen["broken"],
    )
