"""`make fuzz`: every provider's mock against its own OpenAPI file, all phases, all checks.

Starts a fresh server per provider and seed, so that runs do not see each other's history.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

ROOT = Path(__file__).resolve().parents[2]
_USUAL = ROOT / "tools" / "fuzz" / "schemathesis.toml"
_START_S_MAX = 20.0
#: So much that no run of this size ends in 402 alone; the 402 answers are tested elsewhere.
_CREDITS = 10_000_000
#: The mock's own API, which is fuzzed like a provider.
CONTROL = "control"


def main() -> int:
    """Run what the command line asks for; 0 when every run passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("providers", nargs="*", help="all by default")
    parser.add_argument("--seeds", default="1", help="such as 1-5 or 3")
    parser.add_argument("--examples", type=int, default=100)
    options = parser.parse_args()
    names = options.providers or [
        *sorted(path.parent.name for path in (ROOT / "specs").glob("*/behaviour.yaml")),
        CONTROL,
    ]
    first, _, last = options.seeds.partition("-")
    failed: list[str] = []
    for name in names:
        for seed in range(int(first), int(last or first) + 1):
            started = time.monotonic()
            code, detail = fuzz(name, seed, options.examples)
            verdict = "ok" if code == 0 else "FAILED"
            print(
                f"{name} seed {seed}: {verdict} in {time.monotonic() - started:.0f} s", flush=True
            )
            if code:
                failed.append(f"{name} seed {seed}")
                print(detail)
    print(f"{len(failed)} failed runs: {', '.join(failed)}" if failed else "all runs passed")
    return 1 if failed else 0


def fuzz(provider: str, seed: int, examples: int) -> tuple[int, str]:
    """(exit code, output) of one schemathesis run against a fresh server."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "screentest.mock_server.cli"]
        server = subprocess.Popen(
            [
                *command,
                "serve",
                *_served(provider),
                "--port",
                "0",
                "--pace",
                "instant",
                "--seed",
                str(seed),
                "--ready-file",
                str(ready),
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            info = _wait_for(ready)
            return _schemathesis(provider, seed, examples, info)
        finally:
            server.terminate()
            server.wait(10)


def _served(name: str) -> list[str]:
    return [] if name == CONTROL else ["--provider", name]


def _wait_for(ready: Path) -> Any:
    ends = time.monotonic() + _START_S_MAX
    while time.monotonic() < ends:
        if ready.exists():
            return json.loads(ready.read_text())
        time.sleep(0.05)
    raise SystemExit(f"the server did not start within {_START_S_MAX:.0f} s")


def _patch(url: str, body: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    urlopen(Request(url, json.dumps(body).encode(), headers, method="PATCH")).close()


def _schemathesis(provider: str, seed: int, examples: int, info: Any) -> tuple[int, str]:
    if provider == CONTROL:
        return _run(
            CONTROL,
            (ROOT / "tools" / "fuzz" / "control.toml").read_text(),
            f"{info['url']}/_screentest",
            {},
            ["--seed", str(seed), "--max-examples", str(examples)],
        )
    control = f"{info['url']}/_screentest/worlds/default"
    world = json.load(urlopen(control))
    account = world["providers"][provider]["account"]
    if world["providers"][provider]["account"]["credits"]["available"]:
        _patch(f"{control}/accounts/{account['id']}", {"credits": _CREDITS})
    # Sliding windows would answer 429 to part of the traffic; they are tested elsewhere.
    _patch(f"{control}/clock", {"mode": "real", "speed": 1_000})
    return _run(
        provider,
        (ROOT / "tests" / provider / "fuzz.toml").read_text() + exceptions(provider),
        world["providers"][provider]["base_url"],
        {"FUZZ_API_KEY": account["api_key"] or "", "FUZZ_BEARER": account["bearer"] or ""},
        ["--seed", str(seed), "--max-examples", str(examples)],
    )


def exceptions(provider: str) -> str:
    """The refusals of valid requests that the provider's checks list, as configuration."""
    checks = tomllib.loads(_USUAL.read_text())["checks"]
    usual = checks["positive_data_acceptance"]["expected-statuses"]
    return "".join(
        f"""
[[operations]]
include-operation-id = "{name}"
checks.positive_data_acceptance.expected-statuses = {json.dumps([*usual, *more])}
checks.not_a_server_error.expected-statuses = {json.dumps(["2xx", "3xx", "4xx", *more])}
"""
        for name, extra in load_checks(load_contract(provider)).may_refuse.items()
        if (more := [str(status) for status in extra.statuses])
    )


def _run(
    name: str, config: str, url: str, secrets: dict[str, str], options: list[str]
) -> tuple[int, str]:
    text = _USUAL.read_text() + config
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "schemathesis.toml"
        merged.write_text(text)
        environment = {
            **os.environ,
            **secrets,
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "schemathesis.cli",
                "--config-file",
                str(merged),
                "run",
                str(ROOT / "specs" / name / "openapi.yaml"),
                "--url",
                url,
                "--phases",
                "examples,coverage,fuzzing,stateful",
                "--checks",
                "all",
                "--mode",
                "all",
                *options,
            ],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
