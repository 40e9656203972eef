"""Generates what depends on the control contract: `python -m tools.write_control_api`.

It writes docs/control-api.md from the contract, and the types of faults into the contract.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from screentest.mock_server.kernel.fault_types import TYPES
from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json
from screentest.specs.openapi.grammar import METHODS

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "control-api.md"
CONTRACT = _ROOT / "specs" / "control" / "openapi.yaml"

_FAULT_TYPES = re.compile(r"(?<=^    FaultType:\n      type: string\n)      enum: \[[^]]*\]", re.M)

_HEAD = """\
# The control API

The control API controls the mock itself: worlds, clocks, jobs, faults, the journal and webhooks. It
is JSON under `/_screentest/`, on the port of the mock. The whole contract, with every field, is
`specs/control/openapi.yaml`, and a running mock serves it at
`/_screentest/openapi.json`. The mock validates requests against that file, and this page is
generated from it.

```sh
curl -s -X POST http://127.0.0.1:8787/_screentest/worlds -H 'Content-Type: application/json' \\
  -d '{"seed": 7, "clock": {"mode": "manual", "now": "2026-01-01T00:00:00Z"}}'
```

- A refusal is `application/problem+json` with a stable `code`. An unknown field is refused with the
  nearest known name.
- Every response has the header `X-Screentest-Control: 1`: it comes from a mock, with this version
  of the API.
- Lists take `limit` (1 to 200) and `cursor`, and return `{"items": […], "next_cursor": null}`. A
  ledger returns `entries` in place of `items`, and the totals with them.
- Instants are RFC 3339; durations are integer milliseconds in fields named `*_ms`.
- Bodies are `application/json` only. Requests from web pages of another origin are refused. With
  `--control-token`, every operation but `GET /health` requires `Authorization: Bearer TOKEN`.
- `{job}` is the provider's own id. An id with slashes can be written as it is, with `%2F`, or with
  underscores in place of the slashes.
- `GET …/events` with `Accept: text/event-stream` sends events as they happen.
- A snapshot can be restored into any world, even of another mock: `POST …/snapshots` with the
  `document` that `GET` returned, then `restore`. Its keys stay valid, unless another world of the
  mock has one of them. Then all keys are replaced: `env` and the accounts in the response have the
  new keys of the first account of each provider, and `new_keys` has all of them. URLs created
  after the restoration name the new world, and `rotate` returns a new secret for a webhook
  endpoint.
- The world `default` always exists. Its providers are at `/<provider>`, those of any other world at
  `/w/<world>/<provider>`. A key identifies its world at either URL.

"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_sections()) + "\n"


def contract_text() -> str:
    """The text of the control contract, with the types of faults that the mock has."""
    names = textwrap.fill(
        ", ".join(TYPES), 100, initial_indent="      enum: [", subsequent_indent=" " * 13
    )
    text, count = _FAULT_TYPES.subn(names + "]", CONTRACT.read_text(encoding="utf-8"))
    assert count == 1
    return text


def _sections() -> Iterator[str]:
    document = load_controls().document
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}\n\n{tag['description']}\n"
        yield "| operation | fields | what it does |\n|---|---|---|"
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item and tag["name"] in item[method]["tags"]:
                    yield _row(method, path, item[method])
        yield ""


def _row(method: str, path: str, operation: Json) -> str:
    documents = load_controls().documents
    query = [documents.resolve(it) for it in operation.get("parameters", [])]
    names = [f"`?{it['name']}=`" for it in query if it["in"] == "query"]
    body = documents.resolve(operation.get("requestBody", {}))
    for media in body.get("content", {}).values():
        schema = documents.resolve(media["schema"])
        required = schema.get("required", [])
        names += [
            f"**`{name}`**" if name in required else f"`{name}`"
            for name in schema.get("properties", {})
        ]
    return f"| `{method.upper()} {path}` | {' '.join(names)} | {operation['summary']} |"


if __name__ == "__main__":
    CONTRACT.write_text(contract_text(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
