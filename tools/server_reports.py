"""The contract kit against servers that are not ours: Prism, aimock, and the proxy of LiteLLM.

`python -m tools.server_reports aimock` judges one of them, and without a name all, and writes their
pages in docs/reports/. `make test-servers` asserts verdicts and figures.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.servers import PEERS, Peer, free_port, serve_command, serve_mock, serve_peer

from screentest.contract_tests.rules.contract_rules import FAMILIES
from screentest.contract_tests.rules.judge import RuleFinding, RuleVerdict
from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.verify import Result
from screentest.specs.contracts.registry import load_contract

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "docs" / "reports"
_PRISM = next(peer for peer in PEERS if peer.name == "Prism")
_AIMOCK = Peer("aimock", "@copilotkit/aimock@1.43.0", "llmock", ("--log-level", "silent", "-p"))
LITELLM = _ROOT / ".cache" / "litellm" / "bin" / "litellm"
#: A path that answers 200, and the header that Prism wants to see on it.
_READY = {
    "ozor": ("/api/v1/videos", {"X-API-Key": "any-key"}),
    "znapai": ("/v1/videos", {"Authorization": "Bearer any-key"}),
}
#: aimock answers each video by a fixture, which has one id.
_FIXTURES = {
    "fixtures": [
        {
            "match": {"endpoint": "video"},
            "response": {
                "video": {
                    "id": "video_3f0b9c5d7e1a4826b1c0d9e8f7a6b5c4",
                    "status": "completed",
                    "url": "http://127.0.0.1/clip.mp4",
                }
            },
        }
    ]
}
#: How many times faster than ours the clock of the mock behind LiteLLM runs. A call of the proxy
#: takes up to a second, and its video must still be unfinished then.
_SPEED = 30
#: What is different in each run: ids, moments, and how long something took.
_CHANGING = re.compile(r"video_(?!f{8})[\w%=-]{12,}|\b\d{9,13}\b|\b\d+ ms\b")


@dataclass(frozen=True, slots=True)
class Server:
    """A foreign server. *judge* gives what the kit says of it, by provider."""

    name: str
    judge: Callable[[], Mapping[str, Result]]

    @property
    def page(self) -> Path:
        return _FOLDER / f"{self.name}.md"


def _prism() -> Mapping[str, Result]:
    return {provider: _prism_of(provider) for provider in _READY}


def _prism_of(provider: str) -> Result:
    path, headers = _READY[provider]
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "openapi.json"
        served.write_text(json.dumps(_with_prefix(provider)))
        with serve_peer(_PRISM, (str(served),), path, headers, core=None) as running:
            return _verified(
                provider,
                _url_of(running),
                "key-one",
                second_api_key="key-two",
                bearer="session",
                time_scale=1_000,
                patience_ms=60_000,
            )


def _with_prefix(provider: str) -> Mapping[str, Any]:
    """The OpenAPI file with its whole paths: Prism ignores the path of a server's address."""
    contract = load_contract(provider)
    prefix = contract.behaviour.prefixes[0]
    paths = {prefix + path: it for path, it in contract.document["paths"].items()}
    return {**contract.document, "paths": paths}


def _aimock() -> Mapping[str, Result]:
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Path(folder) / "fixtures.json"
        fixtures.write_text(json.dumps(_FIXTURES))
        keys = {"AIMOCK_API_KEYS": "key-one,key-two"}
        arguments = ("-f", str(fixtures))
        with serve_peer(_AIMOCK, arguments, "/health", {}, core=None, variables=keys) as running:
            found = _verified(
                "znapai",
                _url_of(running),
                "key-one",
                second_api_key="key-two",
                time_scale=1_000,
                patience_ms=60_000,
            )
    return {"znapai": found}


def _litellm() -> Mapping[str, Result]:
    with _litellm_proxy() as url:
        return {"znapai": _verified("znapai", url, "sk-kit", time_scale=_SPEED)}


@contextmanager
def _litellm_proxy() -> Generator[str]:
    """LiteLLM's proxy in front of our mock, which takes the place of its upstream.

    Raises:
        SystemExit: it is not installed.
    """
    if not LITELLM.exists():
        raise SystemExit("LiteLLM is missing; `make test-servers` installs it")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_mock("--quiet", "--clock", f"real:{_SPEED}", core=None) as upstream,
    ):
        config = Path(folder) / "config.yaml"
        upstream_params = {
            "model": "openai/sora-2",
            "api_base": f"{upstream.url}/znapai/v1",
            "api_key": upstream.environment["ZNAPAI_API_KEY"],
        }
        model = {"model_name": "sora-2", "litellm_params": upstream_params}
        settings = {"general_settings": {"master_key": "sk-kit"}}
        config.write_text(json.dumps({"model_list": [model], **settings}))
        port = free_port()
        words = ("--config", str(config), "--host", "127.0.0.1", "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        with serve_command(
            (str(LITELLM), *words, "--telemetry", "False"),
            url,
            "/health/liveliness",
            variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        ):
            yield url


def _url_of(running: Any) -> str:
    if running is None:
        raise SystemExit("this needs Node.js 20 and npm; install them and run it again")
    return str(running.url)


def _verified(provider: str, url: str, key: str, **options: Any) -> Result:
    chosen = VerifyOptions(provider=provider, url=url, api_key=key, **options)
    return run_verify(chosen, lambda scenario, ran: None)


SERVERS = {
    it.name: it
    for it in (Server("prism", _prism), Server("aimock", _aimock), Server("litellm", _litellm))
}
_MARK = "<!-- measured -->\n"


def written(server: Server, found: Mapping[str, Result]) -> str:
    """The page of *server* with its text as it is and with what was *found* below the mark."""
    head, _, rest = server.page.read_text(encoding="utf-8").partition(_MARK)
    tail = rest.partition(_MARK)[2]
    lines = [line for provider, result in found.items() for line in _section(provider, result)]
    return head + _MARK + "\n".join(lines) + "\n\n" + _MARK + tail


def _section(provider: str, result: Result) -> Iterator[str]:
    rules = result.judge.rules.values()
    yield f"\n## {provider}\n"
    yield "| family | kept | broken | differ | not judged |\n| --- | --- | --- | --- | --- |"
    for family, detail in FAMILIES.items():
        verdicts = [result.judge.verdict(it.id) for it in rules if it.family == family]
        if verdicts:
            cells = " | ".join(str(verdicts.count(verdict)) for verdict in RuleVerdict)
            yield f"| {detail} | {cells} |"
    if result.readings:
        yield "\nReadings that it follows:\n"
        for reading in result.readings:
            yield f"- `{reading.name}={reading.value}`: {reading.says}"
    yield "\nWhat was seen first for each kind of broken rule:\n"
    for finding in _first_of_each_kind(result):
        detail = _CHANGING.sub("…", finding.summary)
        yield f"- `{finding.rule.id}` ({finding.rule.source}): {detail}"


def _first_of_each_kind(result: Result) -> Iterator[RuleFinding]:
    """One finding for each last word of a rule's id, such as `missing`."""
    seen: set[str] = set()
    for finding in result.judge.findings:
        parts = finding.rule.id.split(".")
        kind = parts[0] if parts[0] in {"shape", "example"} else parts[-1]
        # How long was waited is different each time.
        if kind not in seen and kind != "ends":
            seen.add(kind)
            yield finding


def main(names: Sequence[str]) -> None:
    """Judge the servers of *names*, or all, and write their pages."""
    for name in names or SERVERS:
        server = SERVERS[name]
        server.page.write_text(written(server, server.judge()), encoding="utf-8")
        sys.stdout.write(f"{server.page} is written\n")


if __name__ == "__main__":
    main(sys.argv[1:])
