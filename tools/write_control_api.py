"""Writes docs/control-api.md from the control contract: `python -m tools.write_control_api`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from screentest.specs.controls import load_controls
from screentest.specs.json_types import Json
from screentest.specs.operations import METHODS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "control-api.md"

_HEAD = """\
# The control API

What a test or a person does *to* the mock, as opposed to *through* it: JSON under `/_screentest/`,
on the port of the mock. The whole contract, with every field, is
[`specs/control/openapi.yaml`](../specs/control/openapi.yaml), and a running mock serves it at
`/_screentest/openapi.json`. Calls are read by that file; this page is written from it.

```sh
curl -s -X POST http://127.0.0.1:8787/_screentest/worlds -H 'Content-Type: application/json' \\
  -d '{"seed": 7, "clock": {"mode": "manual", "now": "2026-01-01T00:00:00Z"}}'
```

- Refusals are `application/problem+json` with a stable `code`. Unknown fields are refused, with the
  nearest known name.
- `X-Screentest-Control: 1` in an answer says that a mock gave it, and which version of this API.
- Lists take `limit` (1 to 200) and `cursor`, and answer `{"items": […], "next_cursor": null}`;
  the items of a ledger are its `entries`, beside the sums.
- Instants are RFC 3339; durations are integer milliseconds in fields named `*_ms`.
- Bodies are `application/json` only, and calls from web pages of another origin are refused. With
  `--control-token`, every call but `GET /health` needs `Authorization: Bearer TOKEN`.
- A job is called by the provider's own id, with slashes written as underscores.
- `GET …/events` with `Accept: text/event-stream` tells live what happens.
- A snapshot goes into any world: `POST …/snapshots` with the `document` that `GET` gave, then
  `restore`. Its keys work on, unless another world of the mock has them: then the answer has new
  ones, in `env` and in the accounts for the first account of each provider, and in `new_keys` for
  all. Addresses made from then on name the new world, and a webhook endpoint has another secret
  there, which `rotate` tells.
- The world `default` always exists; its providers answer at `/<provider>`, those of any other world
  at `/w/<world>/<provider>`, and a key finds its world from either address.

"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    document = load_controls().document
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}\n\n{tag['description']}\n"
        yield "| call | fields | |\n|---|---|---|"
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
    PAGE.write_text(page(), encoding="utf-8")
