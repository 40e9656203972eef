"""The formats of a contract's files: structs whose fields carry their meaning and an example.

The JSON Schemas in `schemas/` and the reference page are made from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
from msgspec import Meta

from .errors import ContractError, no_such
from .files import placed
from .json_types import Json

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

#: The JSON Schemas, which editors read as well.
SCHEMAS = Path(__file__).parent / "schemas"
_SHOWN_MAX = 300
_LISTED_MAX = 12
#: Marks of ours in a schema: the reader fills the field; another schema takes its place.
MARK_FILLED, MARK_INSTEAD = "x-filled", "x-instead"
_CITED = {"type": "string", "pattern": "^[A-Z]{1,3}-?[0-9]{1,3}$"}
_SEVERAL = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _CITED}


def means(text: str, *examples: Json) -> Meta:
    """The description of a field, with examples of its value."""
    return Meta(description=text, examples=list(examples))


def instead(schema: Json) -> Meta:
    """The *schema* of what a file has in place of the field's own type."""
    return Meta(extra_json_schema={MARK_INSTEAD: schema})


def one_of(*names: str) -> Meta:
    """Exactly one of the fields *names* is given."""
    return Meta(extra_json_schema={"oneOf": [{"required": [it]} for it in names]})


def named(raw: Mapping[str, Json], field: str) -> dict[str, Json]:
    """The entries of *raw* with their names, in *field*."""
    return {name: {**it, field: name} for name, it in raw.items()}


#: The reader fills the field; a file does not have it.
FILLED = Meta(extra_json_schema={MARK_FILLED: True})
#: The name under which an entry is in the file.
Key = Annotated[str, FILLED]
#: A clause or an interpretation.
Cited = Annotated[str, Meta(pattern=_CITED["pattern"])]
#: In a file one clause or a list of them.
Sources = Annotated[tuple[str, ...], instead({"anyOf": [_CITED, _SEVERAL]})]
Source = Annotated[Cited, means("The clause or the interpretation that this comes from.", "OZ-117")]
ManySources = Annotated[
    Sources, means("The clauses that this comes from, one or a list.", "OS-059", ["OS-007", "S1"])
]

Operations = Annotated[
    frozenset[str], means("The operations that it is about.", ["createVideo"]), Meta(min_length=1)
]


def check_form(raw: Json, path: Path) -> None:
    """Raises unless *raw*, the content of *path*, has the format of a file of its name.

    Raises:
        ContractError: it has every problem, each with its line and the nearest right word.
    """
    problems = dict(_other_keys(raw, ""))
    if problems:
        raise ContractError(*placed(path, problems))
    schema = read_schema(path.stem)
    for error in _validator(path.stem).iter_errors(raw):
        for pointer, detail in _problems(error, schema):
            problems.setdefault(pointer, detail[:_SHOWN_MAX])
    if problems:
        raise ContractError(*placed(path, problems))


def _other_keys(value: Json, at: str) -> Iterator[tuple[str, str]]:
    """(pointer, what is wrong) of each mapping in *value* with a key that is not a text."""
    items = value.items() if isinstance(value, dict) else ()
    for name, it in enumerate(value) if isinstance(value, list) else items:
        if isinstance(value, dict) and not isinstance(name, str):
            yield at, f"the key {name!r} is not a text; write it in quotes"
        yield from _other_keys(it, at + _pointer([name]))


@cache
def read_schema(name: str) -> Json:
    """The JSON Schema of the files called *name*, such as `behaviour`; `schemas` writes it."""
    return orjson.loads((SCHEMAS / f"{name}.schema.json").read_bytes())


@cache
def _validator(name: str) -> Draft202012Validator:
    # Not at the top: it takes long to load, and an installed contract is not checked again.
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(read_schema(name))


def _problems(error: ValidationError, schema: Json) -> Iterator[tuple[str, str]]:
    """(pointer, what is wrong) of *error*, of the one fitting choice where there are several."""
    from jsonschema_rs import ValidationErrorKind as kinds

    kind, at = error.kind, _pointer(error.instance_path)
    if isinstance(kind, kinds.AnyOf):
        # A choice of another type is not what was meant.
        fitting = [it for it in kind.context if not _is_other_type(it, len(error.instance_path))]
        if len(fitting) == 1:
            for inner in fitting[0]:
                yield from _problems(inner, schema)
        else:
            yield at, " and ".join(dict.fromkeys(it[0].message for it in kind.context))
    elif isinstance(kind, kinds.AdditionalProperties):
        known = _at(schema, error.schema_path[:-1])["properties"]
        for name in kind.unexpected:
            yield at + _pointer([name]), no_such("field", name, known, listed_max=_LISTED_MAX)
    elif isinstance(kind, kinds.OneOfNotValid | kinds.OneOfMultipleValid):
        choices = [it["required"][0] for it in _at(schema, error.schema_path)]
        yield at, f"exactly one of these fields is needed: {', '.join(choices)}"
    elif isinstance(kind, kinds.Enum) and isinstance(error.instance, str):
        yield at, no_such("value", error.instance, [str(it) for it in kind.options])
    else:
        yield at, error.message


def _is_other_type(errors: Sequence[ValidationError], depth: int) -> bool:
    return any(it.kind.name == "type" and len(it.instance_path) == depth for it in errors)


def _pointer(steps: Sequence[str | int]) -> str:
    return "".join(f"/{str(it).replace('~', '~0').replace('/', '~1')}" for it in steps)


def _at(schema: Json, steps: Sequence[str | int]) -> Json:
    for step in steps:
        schema = schema[step]
    return schema
