"""Requests as code to paste: curl, Python, JavaScript, a pytest."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from msgspec import Struct

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.sent_keys import text_of, with_value
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation

_JSON = "application/json"
#: Headers that a client's library writes by itself.
_BY_ITSELF = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent"})


class Example(Struct, frozen=True):
    """An example body of an operation, with its name and what it shows."""

    name: str
    summary: str
    body: Json


class Start(Struct, frozen=True):
    """A call that begins a job of a provider, with its examples."""

    operation: Operation
    examples: tuple[Example, ...]
    is_form: bool


def start_of(contract: Contract) -> Start | None:
    """The first call of *contract* that begins a job and needs nothing that exists before."""
    for rules in contract.behaviour.operations.values():
        operation = contract.operations.get(rules.id)
        if rules.starts is None or operation is None or "{" in operation.path:
            continue
        for media, content in _content(contract.document, operation).items():
            named = content.get("examples", {})
            if named:
                examples = tuple(
                    Example(name, it.get("summary", name), it.get("value"))
                    for name, it in named.items()
                )
                return Start(operation, examples, is_form=media != _JSON)
    return None


def _content(document: Json, operation: Operation) -> Mapping[str, Json]:
    body = document["paths"][operation.path][operation.method.lower()].get("requestBody", {})
    if "$ref" in body:
        body = document["components"]["requestBodies"][body["$ref"].rpartition("/")[2]]
    content: Mapping[str, Json] = body.get("content", {})
    return content


def with_key(
    behaviour: Behaviour, url: str, keys: Mapping[str, str | None]
) -> tuple[str, dict[str, str]]:
    """*url*, and the headers, with the first credential where the contract documents it."""
    credential = next(iter(behaviour.credentials.values()), None)
    if credential is None:
        return url, {}
    place, scheme = credential.forms[0]
    headers, query = with_value(place, text_of(keys.get("api_key") or "", scheme), {}, "")
    named = {header_name(name): value for name, value in headers.items()}
    return f"{url}?{query}" if query else url, named


def snippets(
    url: str, headers: Mapping[str, str], start: Start, example: Example
) -> dict[str, str]:
    """The call as curl, as Python and as JavaScript."""
    method = start.operation.method
    if start.is_form:
        fields = example.body.items()
        parts = " \\\n".join(
            f"  -F {shlex.quote(f'{key}={_form_value(key, text)}')}" for key, text in fields
        )
        sent = "".join(
            f" \\\n  -H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()
        )
        return {"curl": f"curl -X {method} {shlex.quote(url)}{sent} \\\n{parts}"}
    body = json.dumps(example.body, ensure_ascii=False)
    pretty = json.dumps(example.body, ensure_ascii=False, indent=4)
    headers = dict(headers)
    return {
        "curl": as_curl(method, url, {**headers, "Content-Type": _JSON}, body),
        "Python": (
            "import requests\n\n"
            f"answer = requests.{method.lower()}(\n    {url!r},\n    headers={headers!r},\n"
            f"    json={_python(example.body)},\n)\nprint(answer.status_code, answer.json())"
        ),
        "JavaScript": (
            f"const answer = await fetch({json.dumps(url)}, {{\n"
            f"  method: {json.dumps(method)},\n"
            f"  headers: {json.dumps({**headers, 'Content-Type': _JSON})},\n"
            f"  body: JSON.stringify({pretty}),\n}});\n"
            "console.log(answer.status, await answer.json());"
        ),
    }


def _form_value(name: str, text: Json) -> str:
    shown = str(text)
    # An example says "(the bytes of face.jpg)" for the content of a file.
    if shown.startswith("(the bytes of ") and shown.endswith(")"):
        return "@" + shown[len("(the bytes of ") : -1]
    return shown


def as_curl(method: str, url: str, headers: Mapping[str, str], body: str) -> str:
    """One request for a shell. Every text is quoted, so that nothing of a client is run."""
    parts = [f"curl -X {shlex.quote(method)} {shlex.quote(url)}"]
    parts += [
        f"-H {shlex.quote(f'{name}: {value}')}"
        for name, value in headers.items()
        if name.lower() not in _BY_ITSELF
    ]
    if body:
        parts.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(parts)


def as_pytest(line: Json) -> str:
    """A journaled request as a test with the fixture `screentest`."""
    request, provider = line["request"], line["provider"]
    name = (line["operation"] or "request").lower()
    path = request["path"] + (f"?{request['query']}" if request["query"] else "")
    text = request.get("body", {}).get("text", "")
    body = _parsed(text)
    sent = f",\n        json={_python(body)}" if body is not None else ""
    if body is None and text:
        sent = f",\n        data={text!r}"
    header = next(
        (it for it in request["headers"] if it.endswith(("-key", "authorization"))), "authorization"
    )
    key = f"screentest.{provider}.api_key"
    scheme = request["headers"].get(header, "").partition(" ")
    value = f'f"{scheme[0]} {{{key}}}"' if scheme[1] and scheme[0].isalpha() else key
    return (
        "import requests\n\n\n"
        f"def test_{name}(screentest):\n"
        f"    answer = requests.request(\n        {request['method']!r},\n"
        f"        screentest.{provider}.base_url + {path!r},\n"
        f"        headers={{{header!r}: {value}}}{sent},\n    )\n\n"
        f"    assert answer.status_code == {line['response']['status']}\n"
    )


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _python(value: Json) -> str:
    """*value* as a Python literal; a long one over several lines."""
    text = repr(value)
    if len(text) <= 60 or not isinstance(value, dict):
        return text
    lines = ",\n".join(f"        {name!r}: {it!r}" for name, it in value.items())
    return f"{{\n{lines},\n    }}"
