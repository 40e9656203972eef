"""The kit against a server that is not ours: Prism, from our own OpenAPI files.

Prism answers with examples and keeps no state. It can be right about shapes and nothing else, so
the kit must pass the one and fail the rest. `make test-prism` asserts that, and writes the page.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.servers import PEERS, serve_peer

from screentest.contract_tests.rules.contract_rules import FAMILIES
from screentest.contract_tests.rules.judge import RuleFinding, RuleVerdict
from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.verify import Result
from screentest.specs.contracts.registry import load_contract

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reports" / "prism.md"
_PRISM = next(peer for peer in PEERS if peer.name == "Prism")
#: A path that answers 200, and the header that Prism wants to see on it.
_READY = {
    "ozor": ("/api/v1/videos", {"X-API-Key": "any-key"}),
    "znapai": ("/v1/videos", {"Authorization": "Bearer any-key"}),
}
_HEAD = """# A server that is not ours: Prism

Prism 5.14.2 (`@stoplight/prism-cli`, from npm) answers every request with an example of the OpenAPI
file. It keeps no state, so it can only keep rules about shapes. `make test-prism` runs the kit
against it, asserts which rules are kept and which are broken, and writes this page.
"""
_TAIL = """
## Reading it

- Shapes are kept where the file has a full example. Without an example (a new key) Prism invents a
  value that does not match the pattern.
- Bad input is refused with a body of Prism's own, not with the provider's: shapes of operations
  that take a body break.
- Jobs never end, and every id gives the same answer: lifecycles, ownership and unknown ids break.
- Prism accepts any credential and checks the body first: authentication breaks.
- The stream of a plan has no event that can be read: `shape.generatePlan` breaks.
- Money, webhooks, rates and the clock need a server that can be controlled. The kit reports them as
  *not judged*.
"""


def results() -> dict[str, Result]:
    """What the kit says of Prism, by provider.

    Raises:
        SystemExit: Node.js or the package is missing.
    """
    return {provider: _result(provider) for provider in _READY}


def _result(provider: str) -> Result:
    path, headers = _READY[provider]
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "openapi.json"
        served.write_text(json.dumps(_with_prefix(provider)))
        with serve_peer(_PRISM, served, path, headers, core=None) as running:
            if running is None:
                raise SystemExit("Prism needs Node.js 20 and npm; install them and run this again")
            options = VerifyOptions(
                provider=provider,
                url=running.url,
                api_key="somebody",
                second_api_key="somebody-else",
                bearer="session",
                time_scale=1_000,
                patience_ms=60_000,
            )
            return run_verify(options, lambda scenario, ran: None)


def _with_prefix(provider: str) -> Mapping[str, Any]:
    """The OpenAPI file with its whole paths: Prism ignores the path of a server's address."""
    contract = load_contract(provider)
    prefix = contract.behaviour.prefixes[0]
    paths = {prefix + path: it for path, it in contract.document["paths"].items()}
    return {**contract.document, "paths": paths}


def page(found: Mapping[str, Result]) -> str:
    """The page about *found*."""
    lines = [line for provider, result in found.items() for line in _section(provider, result)]
    return _HEAD + "\n".join(lines) + _TAIL


def _section(provider: str, result: Result) -> Iterator[str]:
    counts = result.judge.counts()
    kept, broken, unjudged = (counts[it] for it in RuleVerdict)
    yield f"\n## {provider}\n"
    yield f"{kept} rules kept, {broken} broken, {unjudged} not judged.\n"
    yield "| family | kept | broken | not judged |\n| --- | --- | --- | --- |"
    for family, detail in FAMILIES.items():
        verdicts = [
            result.judge.verdict(it.id) for it in result.judge.rules.values() if it.family == family
        ]
        if verdicts:
            cells = " | ".join(str(verdicts.count(verdict)) for verdict in RuleVerdict)
            yield f"| {detail} | {cells} |"
    yield "\nWhat was seen first for each kind of broken rule:\n"
    for finding in _first_of_each_kind(result):
        rule = finding.rule
        yield f"- `{rule.id}` ({rule.source}): {finding.summary}"


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


if __name__ == "__main__":
    PAGE.write_text(page(results()), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")
