"""The page about the files of a contract, and their JSON Schemas, made from the structs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import yaml

from screentest.specs.behaviour.fact_names import OF_CALLS, OF_LISTS, OF_RESOURCES, OF_WORLDS
from screentest.specs.describing.schemas import FORMATS, schema_of
from screentest.specs.expressions.functions import FUNCTIONS, METHODS, SPACED
from screentest.specs.expressions.reader import MACROS
from screentest.specs.json_types import Json

_INTRODUCTION = """\
A contract is a folder with an OpenAPI file and up to four YAML files. Only the OpenAPI file is
needed. This page lists every field of the four, each with an example. Durations are integer
milliseconds, money is integer credits. [Writing a contract](writing-a-contract.md) is the way in,
and [flows](checks-format.md) explains one part of `checks.yaml`.

Editors check a file against its JSON Schema, which `screentest spec schema NAME` prints. In the
packaged contracts and in those that `screentest new` drafts, the first line of a file names it:

```yaml
# yaml-language-server: $schema=../schemas/behaviour.schema.json
```

`screentest spec lint FOLDER` lists all mistakes, each with its file and line."""
_EXPRESSIONS = """\
A price and every value of a template after a `$` is an expression in the syntax of
[CEL](https://cel.dev): `$kind == 'succeeded' ? url.video : null`. A `{name}` in a text without `$`
becomes the text of that fact. A field whose value is `optional.none()` is left out. Expressions
depart from CEL in four points: there is one type of number, which is exact; a field that is missing
is null; `substring` and `slice` end at the end of the value; `&&` and `||` stop at the first side
that decides. `spec lint` reports a mistake with its column, and a name that its place does not
have with the nearest right one. An instant (`now`, `created`, `entered`, `ended`) has the notations
`ms`, `s`, `iso`, `iso_s` and `iso_us`: milliseconds and seconds since 1970, and RFC 3339 with
milliseconds where there are any, without, and with six decimals."""
_FACTS: Mapping[str, Mapping[str, str]] = {
    "Facts of any place": OF_WORLDS,
    "Facts of a resource": OF_RESOURCES,
    "Facts of a call": OF_CALLS,
    "Facts of a list": OF_LISTS,
}
_FILES = {
    "behaviour": "What the mock simulates and the kit judges.",
    "readings": "The points where the document is silent. Each key is the name of one.",
    "checks": "",
    "clauses": "The sentences of the provider's document. Each key is the id of one.",
}
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}


def schema_text(name: str) -> str:
    """The JSON Schema of the files called *name*, as it is published: one line a definition."""
    schema = schema_of(name)
    parts = ",\n".join(_members(schema.pop("$defs")))
    return "{\n" + ",\n".join([*_members(schema), f'"$defs": {{\n{parts}\n}}']) + "\n}\n"


def _members(value: Json) -> Iterator[str]:
    for name, it in value.items():
        yield f"{json.dumps(name)}: {json.dumps(it, ensure_ascii=False)}"


def format_lines() -> Iterator[str]:
    """The lines of the page, after its title."""
    yield from _INTRODUCTION.splitlines()
    for name in FORMATS:
        schema = schema_of(name)
        yield from ("", f"## {name}.yaml", "")
        if _FILES[name]:
            yield from (_FILES[name], "")
        if "properties" in schema:
            yield from (schema["description"], "")
            yield from _table(schema, name)
        for title, part in schema["$defs"].items():
            if "properties" in part:
                yield from ("", f"### {_title(name, title)}", "", part["description"], "")
                yield from _table(part, name)


def _title(file: str, struct: str) -> str:
    """Two files may have parts of one name."""
    return f"{struct} in {file}" if struct == "Cadence" and file == "checks" else struct


def _table(schema: Json, file: str) -> Iterator[str]:
    yield "| Field | Value | Meaning | Example |"
    yield "|---|---|---|---|"
    required = schema.get("required", ())
    parts = schema_of(file)["$defs"]
    for name, it in schema["properties"].items():
        needed = " (needed)" if name in required else ""
        example = " or ".join(f"`{_flow(value)}`" for value in it.get("examples", ()))
        default = f" Default: `{_flow(it['default'])}`." if "default" in it else ""
        row = (f"`{name}`{needed}", _value(it, parts, file), it["description"] + default, example)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _value(schema: Json, parts: Json, file: str) -> str:
    """The values that *schema* permits, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if "properties" not in parts[name]:
            return _value(parts[name], parts, file)
        title = _title(file, name)
        return f"[{title}](#{title.lower().replace(' ', '-')})"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{it}`" for it in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_value(it, parts, file) for it in schema["anyOf"]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_WORDS[it] for it in kind)
    if kind == "array":
        items = schema.get("items") or schema.get("prefixItems", [{}])[0]
        return f"list: {_value(items, parts, file)}" if isinstance(items, dict) else "list"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"by name: {_value(schema['additionalProperties'], parts, file)}"
    return _WORDS.get(kind, "any value")


def _flow(value: Json) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("...\n").strip()


def format_page(generated: str) -> Sequence[str]:
    """The whole page; *generated* says what wrote it."""
    return ["# The files of a contract", "", generated, "", *format_lines(), *_expression_lines()]


def _expression_lines() -> Iterator[str]:
    """What an expression may be made of, and the facts that it may name."""
    yield from ("", "## Expressions", "", _EXPRESSIONS, "")
    functions = [*FUNCTIONS, *SPACED]
    yield f"Functions: {_listed(functions)}."
    yield ""
    yield f"Methods: {_listed(METHODS)}."
    yield ""
    yield f"Macros: {_listed(['has', *dict.fromkeys(name for name, _ in MACROS)])}."
    for title, table in _FACTS.items():
        yield from ("", f"### {title}", "", "| name | what it is |", "|---|---|")
        for name, meaning in table.items():
            yield f"| `{name}` | {meaning[0].upper()}{meaning[1:]}. |".replace("`.* |", "` |")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
