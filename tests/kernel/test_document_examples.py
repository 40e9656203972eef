"""Examples and descriptions in the OpenAPI documents, in the default and in every other reading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.grammar import METHODS
from screentest.specs.openapi.validation import Schema

_READINGS = [
    (provider, name, value)
    for provider in ("ugc_copilot", "znapai")
    for name, it in load_contract(provider).behaviour.interpretations.items()
    for value in it.patches["openapi.yaml"]
]


def broken_examples(contract: Contract) -> list[str]:
    """Where an example of a body differs from the schema beside it, and how."""
    documents = Documents(contract.provider, contract.document)
    return [
        f"{'/'.join(place)}: {violation.message}"
        for place, media in media_types(documents)
        if "schema" in media
        for example in examples(documents, media)
        for violation in Schema(documents, [*place, "schema"], "example").violations(example)
    ]


def media_types(documents: Documents) -> Iterator[tuple[list[str], Json]]:
    """(place, media type object) of every JSON body of every operation."""
    for path, item in documents.content["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            at = ["paths", path, method]
            bodies = [[*at, "requestBody"]] if "requestBody" in item[method] else []
            bodies += [[*at, "responses", status] for status in item[method]["responses"]]
            for place in bodies:
                for media_type, media in documents.at(place).get("content", {}).items():
                    if media_type.endswith("json"):
                        yield [*resolved(documents, place), "content", media_type], media


def resolved(documents: Documents, place: list[str]) -> list[str]:
    value: Json = documents.content
    for step in place:
        value = value[step]
    return documents.steps(value["$ref"]) if "$ref" in value else place


def examples(documents: Documents, media: Json) -> Iterator[Json]:
    if "example" in media:
        yield media["example"]
    for it in media.get("examples", {}).values():
        yield documents.resolve(it)["value"]


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_examples_are_valid(provider: str) -> None:
    assert broken_examples(load_contract(provider)) == []


@pytest.mark.parametrize(("provider", "name", "value"), _READINGS)
def test_examples_are_valid_in_every_reading(provider: str, name: str, value: str) -> None:
    assert broken_examples(load_contract(provider, {f"{provider}.{name}": value})) == []
