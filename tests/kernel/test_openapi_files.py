"""OpenAPI files as vendors write them: what is read, and what is refused with file and line."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.operations import Operation, compile_operations
from screentest.specs.openapi.routes import Routes

_HEAD = "openapi: 3.0.3\ninfo: {title: Lamp, version: '1'}\n"
_OK = "{description: ok}"


def _read(folder: Path, text: str, name: str = "openapi.yaml") -> dict[str, Operation]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return compile_operations(Documents("lamp", read_document(path)))


def _schema(folder: Path, text: str) -> Json:
    """The schema that *text* is read as, in an OpenAPI 3.0 file."""
    path = folder / "openapi.yaml"
    path.write_text(f"{_HEAD}paths: {{}}\ncomponents: {{schemas: {{it: {text}}}}}\n")
    return read_document(path)["components"]["schemas"]["it"]


def _problems(folder: Path, text: str, name: str = "openapi.yaml") -> list[str]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as raised:
        read_document(path)
    return [it.removeprefix(f"{folder}/") for it in raised.value.problems]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{type: string, nullable: true}", {"type": ["string", "null"]}),
        ("{type: string, nullable: false}", {"type": "string"}),
        (
            "{type: string, nullable: true, enum: [on]}",
            {"type": ["string", "null"], "enum": [True, None]},
        ),
        (
            "{nullable: true, allOf: [{type: object}]}",
            {"anyOf": [{"allOf": [{"type": "object"}]}, {"type": "null"}]},
        ),
        ("{minimum: 1, exclusiveMinimum: true}", {"exclusiveMinimum": 1}),
        ("{maximum: 9, exclusiveMaximum: false}", {"maximum": 9}),
        ("{type: integer, example: 7}", {"type": "integer", "examples": [7]}),
        (
            "{properties: {nullable: {type: string}, example: {type: string, nullable: true}}}",
            {
                "properties": {
                    "nullable": {"type": "string"},
                    "example": {"type": ["string", "null"]},
                }
            },
        ),
        ("{$ref: '#/components/schemas/it2'}", None),
    ],
)
def test_schema_of_3_0_is_read_as_one_of_3_1(tmp_path: Path, old: str, new: Json) -> None:
    if new is None:
        problems = _problems(
            tmp_path, f"{_HEAD}paths: {{}}\ncomponents: {{schemas: {{it: {old}}}}}\n"
        )
        assert problems == [
            "openapi.yaml:4: at components/schemas/it/$ref: "
            "the $ref '#/components/schemas/it2' points at nothing"
        ]
    else:
        assert _schema(tmp_path, old) == new


def test_operation_without_an_id_is_named_by_its_method_and_path(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        f"""{_HEAD}
paths:
  /v1/videos/{{id}}:
    get: {{responses: {{200: {_OK}}}}}
    delete: {{operationId: remove, responses: {{'204': {_OK}}}}}
  /v1/videos-id:
    get: {{responses: {{200: {_OK}}}}}
""",
    )

    assert sorted(found) == ["get_v1_videos_id", "get_v1_videos_id_2", "remove"]


def test_references_to_other_files_of_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "video.yaml").write_text(
        "Video: {type: object, properties: {next: {$ref: '#/Video'}, at: {$ref: '../time.json'}}}\n"
        "Page: {description: ok, content: {application/json: {schema: {$ref: '#/Video'}}}}\n"
    )
    (tmp_path / "time.json").write_text('{"type": "integer", "exclusiveMinimum": 5}')

    (found,) = _read(
        tmp_path,
        "openapi: 3.1.0\npaths:\n  /v:\n    get:\n      responses:\n"
        "        200: {$ref: 'shapes/video.yaml#/Page'}\n",
    ).values()
    schema = found.replies["200"].content["application/json"]

    assert schema is not None
    assert schema.is_valid({"next": {"next": {"at": 6}}})
    assert not schema.is_valid({"next": {"next": {"at": 5}}})


_SHAPED = f"""{_HEAD}
security: [{{a: [], b: []}}, {{c: []}}, {{}}]
paths:
  /v/{{id}}:
    parameters:
      - {{in: path, name: id, required: true, schema: {{type: string}}}}
      - {{in: query, name: size, schema: {{type: string}}}}
    get:
      operationId: read
      parameters:
        - {{in: query, name: size, schema: {{type: integer}}}}
        - {{in: query, name: tags, schema: {{type: array, items: {{type: integer}}}}}}
        - {{in: query, name: ids, explode: false, schema: {{type: array, items: {{type: string}}}}}}
        - {{in: query, name: pipes, style: pipeDelimited, explode: false,
            schema: {{type: array, items: {{type: string}}}}}}
        - in: query
          name: filter
          style: deepObject
          schema: {{type: object, properties: {{n: {{type: integer}}, s: {{type: string}}}}}}
        - {{in: query, name: where, content: {{application/json: {{schema: {{type: object}}}}}}}}
        - {{in: query, name: flat, schema: {{type: object, properties: {{k: {{type: boolean}}}}}}}}
        - {{in: cookie, name: sid, schema: {{type: string}}}}
      responses:
        2XX: {_OK}
        4xx:
          description: no
          content: {{application/problem+json: {{schema: {{type: object}}}}}}
        default: {{description: else, content: {{'*/*': {{schema: {{type: string}}}}}}}}
    post:
      operationId: write
      security: [{{c: []}}]
      requestBody:
        content:
          application/json: {{schema: {{type: object}}}}
          text/*: {{}}
          application/x-www-form-urlencoded: {{schema: {{type: object}}}}
      responses: {{default: {_OK}}}
components:
  securitySchemes:
    a: {{type: apiKey, in: header, name: X-A}}
    b: {{type: apiKey, in: query, name: b}}
    c: {{type: http, scheme: bearer}}
"""


@pytest.mark.parametrize(
    ("name", "query", "value"),
    [
        ("size", {"size": ["7"]}, 7),
        ("tags", {"tags": ["1", "2"]}, [1, 2]),
        ("ids", {"ids": ["a,b"]}, ["a", "b"]),
        ("pipes", {"pipes": ["a|b"]}, ["a", "b"]),
        ("filter", {"filter[n]": ["3"], "filter[s]": ["x"]}, {"n": 3, "s": "x"}),
        ("where", {"where": ['{"a": 1}']}, {"a": 1}),
        ("flat", {"k": ["true"]}, {"k": True}),
        ("sid", {"sid": ["x"]}, "x"),
        ("tags", {}, None),
    ],
)
def test_parameters_are_read_in_their_style(
    tmp_path: Path, name: str, query: dict[str, list[str]], value: Json
) -> None:
    read = _read(tmp_path, _SHAPED)["read"]
    (parameter,) = (it for it in read.parameters if it.name == name)

    assert parameter.read_all(query) == value


def test_replies_are_found_by_status_range_and_default(tmp_path: Path) -> None:
    found = _read(tmp_path, _SHAPED)
    read = found["read"]

    assert read.reply(201) is read.replies["2XX"]
    assert read.reply(418) is read.replies["4XX"]
    assert read.reply(500) is read.replies["default"]
    assert (read.success_status, found["write"].success_status) == (200, 200)
    assert read.reply_violations(404, "application/problem+json", {}) == []
    assert [it.message for it in read.reply_violations(503, "text/plain", "x")] == []
    assert [it.keyword for it in read.reply_violations(404, "application/json", {})] == ["content"]


def test_security_sets_and_body_types_are_those_of_the_file(tmp_path: Path) -> None:
    found = _read(tmp_path, _SHAPED)
    read, write = found["read"], found["write"]

    assert (read.security, read.security_sets) == ((), (("a", "b"), ("c",), ()))
    assert (write.security, write.security_sets) == (("c",), (("c",),))
    assert write.body_schema("text/plain; charset=utf-8") is write.bodies["text/*"]
    assert write.body_schema("image/png") is None


_ROUTES = f"""{_HEAD}
paths:
  /a/{{x}}: {{get: {{operationId: any, responses: {{}}}}}}
  /a/mine: {{get: {{operationId: mine, responses: {{}}}}}}
  /a/{{x}}/b: {{get: {{operationId: below, responses: {{}}}}}}
  /a/b/{{y}}: {{post: {{operationId: other, responses: {{}}}}}}
  /a/{{x}}.json: {{get: {{operationId: typed, responses: {{}}}}}}
  /a/{{x}}:cancel: {{post: {{operationId: cancel, responses: {{}}}}}}
  /a/{{video-id}}: {{delete: {{operationId: remove, responses: {{}}}}}}
  /from/{{a}}-to-{{b}}: {{get: {{operationId: span, responses: {{}}}}}}
"""


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/a/7", ("any", {"x": "7"})),
        ("HEAD", "/a/7", ("any", {"x": "7"})),
        ("DELETE", "/a/7", ("remove", {"video-id": "7"})),
        ("GET", "/a/mine", ("mine", {})),
        ("DELETE", "/a/mine", None),
        ("GET", "/a/b/b", ("below", {"x": "b"})),
        ("POST", "/a/b/b", ("other", {"y": "b"})),
        ("GET", "/a/7.json", ("typed", {"x": "7"})),
        ("POST", "/a/7:cancel", ("cancel", {"x": "7"})),
        ("POST", "/a/:cancel", None),
        ("GET", "/from/x-y-to-z", ("span", {"a": "x-y", "b": "z"})),
        ("GET", "/from/-to-", None),
        ("GET", "/a/", None),
        ("GET", "/b", None),
    ],
)
def test_the_most_exact_path_takes_a_request(
    tmp_path: Path, method: str, path: str, found: tuple[str, dict[str, str]] | None
) -> None:
    match = Routes(list(_read(tmp_path, _ROUTES).values())).find(method, path)

    assert (match and (match.operation.id, match.path)) == found


def test_fields_of_one_direction_are_not_required_in_the_other(tmp_path: Path) -> None:
    thing = "$ref: '#/components/schemas/Thing'"
    content = f"content: {{application/json: {{schema: {{{thing}}}}}}}"
    (found,) = _read(
        tmp_path,
        f"""{_HEAD}
paths:
  /t: {{post: {{requestBody: {{{content}}}, responses: {{200: {{description: ok, {content}}}}}}}}}
components:
  schemas:
    Thing:
      type: object
      required: [id, secret]
      properties:
        id: {{type: string, readOnly: true}}
        secret: {{type: string, writeOnly: true}}
""",
    ).values()
    reply = found.replies["200"].content["application/json"]

    assert found.bodies["application/json"].is_valid({"secret": "x"})
    assert not found.bodies["application/json"].is_valid({"id": "x"})
    assert reply is not None
    assert reply.is_valid({"id": "x"})
    assert not reply.is_valid({"secret": "x"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("openapi: 3.2.0\npaths: {}", 'openapi.yaml:1: at openapi: "3.2.0" does not match'),
        ("swagger: '2.0'\npaths: {}", 'openapi.yaml:1: "openapi" is a required property'),
        (f"{_HEAD}paths: []", 'openapi.yaml:3: at paths: [] is not of type "object"'),
        (
            f"{_HEAD}paths: {{}}\npaths: {{}}",
            "openapi.yaml:4: this is not YAML: the key 'paths' is ",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{get: {{responses: {{200: {{$ref: 'https://x.example/y'}}}}}}}}",
            "openapi.yaml:4: at paths//v/get/responses/200/$ref: the $ref 'https://x.example/y' "
            "is a URL, which is not fetched; save the file in this folder and name it",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{get: {{responses: {{200: {{$ref: 'file:///etc/passwd'}}}}}}}}",
            "openapi.yaml:4: at paths//v/get/responses/200/$ref: the $ref 'file:///etc/passwd' "
            "is a URL, which is not fetched; save the file in this folder and name it",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{$ref: '../other.yaml'}}",
            "openapi.yaml:4: at paths//v/$ref: the $ref '../other.yaml' is outside of the folder",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{$ref: '/etc/passwd'}}",
            "openapi.yaml:4: at paths//v/$ref: the $ref '/etc/passwd' is outside of the folder",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{$ref: 'link.yaml'}}",
            "openapi.yaml:4: at paths//v/$ref: the $ref 'link.yaml' "
            "is a symbolic link outside of the folder",
        ),
        (
            f"{_HEAD}paths:\n  /v/{{a}}: {{get: {{}}}}\n  /v/{{b}}: {{get: {{}}}}",
            "openapi.yaml:5: at paths//v/{b}: GET here collides with '/v/{a}': "
            "both match the same paths",
        ),
        (
            f"{_HEAD}paths:\n  /v: {{get: {{operationId: x}}}}\n  /w: {{get: {{operationId: x}}}}",
            "openapi.yaml:5: at paths//w/get/operationId: GET /v has the operationId 'x', too",
        ),
        (
            f"{_HEAD}security: [{{key: []}}]\npaths: {{}}",
            "openapi.yaml:3: at security/0/key: no security scheme 'key' (there are: none)",
        ),
        (
            f"{_HEAD}paths: {{}}\ncomponents:\n  schemas:\n"
            "    A: {pattern: '(a{1000}){1000}'}",
            "openapi.yaml:6: at components/schemas/A/pattern: the pattern '(a{1000}){1000}' "
            "is not a regular expression of JSON Schema, or is too large",
        ),
        (
            f"{_HEAD}paths: {{}}\ncomponents:\n  schemas:\n    A: {{allOf: [{{$ref: '#/components/"
            "schemas/B'}]}\n    B: {anyOf: [{$ref: '#/components/schemas/A'}]}",
            "this schema contains itself for the same value, so no value can be judged",
        ),
        (
            f"{_HEAD}paths: {{}}\ncomponents:\n  schemas:\n"
            "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}",
            "leads back to itself",
        ),
        (
            f"{_HEAD}paths: {{}}\ncomponents: {{schemas: {{A: {{type: text}}}}}}",
            "openapi.yaml:4: at components/schemas/A/type: ",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_with_file_and_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "other.yaml").write_text("get: {}")
    folder = tmp_path / "lamp"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "other.yaml")

    found = _problems(folder, text)

    assert problem in found[0]
    assert found[0].startswith("openapi.yaml:")


def test_all_problems_come_at_once_and_in_their_own_files(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("Video:\n  properties:\n    a: {$ref: 'gone.yaml'}\n")

    found = _problems(
        tmp_path,
        f"{_HEAD}paths:\n  /v:\n    get:\n      responses:\n        200:\n          content:\n"
        "            application/json: {schema: {$ref: 'more.yaml#/Video'}}\n"
        "        404: {$ref: '#/components/responses/Gone'}\n",
    )

    assert found == [
        "openapi.yaml:10: at paths//v/get/responses/404/$ref: "
        "the $ref '#/components/responses/Gone' points at nothing",
        "more.yaml:3: at Video/properties/a/$ref: "
        "the $ref 'gone.yaml' names a file that does not exist",
    ]


def test_references_that_multiply_are_refused_before_a_value_is_judged(tmp_path: Path) -> None:
    schemas = {
        f"S{number}": {"allOf": [{"$ref": f"#/components/schemas/S{number + 1}"}] * 2}
        for number in range(40)
    }
    document = {
        "openapi": "3.1.0",
        "paths": {},
        "components": {"schemas": {**schemas, "S40": {"type": "string"}}},
    }

    (found,) = _problems(tmp_path, json.dumps(document), "openapi.json")

    assert "with its references written out this has more than 100000 schemas" in found


def test_recursive_schemas_are_read(tmp_path: Path) -> None:
    found = _schema(tmp_path, "{type: object, properties: {it: {$ref: '#/components/schemas/it'}}}")

    assert (
        Documents("lamp", {"components": {"schemas": {"it": found}}}).resolve(
            found["properties"]["it"]
        )
        == found
    )


def test_json_file_has_lines_and_repeated_keys_are_refused(tmp_path: Path) -> None:
    text = '{\n\t"openapi": "3.1.0",\n\t"paths": {\n\t\t"/v": {"get": 7}}}'

    assert _problems(tmp_path, text, "openapi.json") == [
        'openapi.json:4: at paths//v/get: 7 is not of type "object"'
    ]
    assert "the key 'a' is repeated" in _problems(tmp_path, '{"a": 1, "a": 2}', "openapi.json")[0]
    assert "nested more than 64" in _problems(tmp_path, '{"a":' + "[" * 90_000, "openapi.json")[0]
    assert "half of a character" in _problems(tmp_path, '{"a": "\\ud83d"}', "openapi.json")[0]


def _large_document(operations: int) -> Json:
    def operation(number: int) -> Json:
        shape = {"$ref": f"#/components/schemas/S{number % 500}"}
        content = {"application/json": {"schema": shape}}
        return {
            "operationId": f"op{number}",
            "description": "A sentence about what this operation does for its callers. " * 2,
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "requestBody": {"content": content},
            "responses": {"200": {"description": "ok", "content": content}},
        }

    schemas = {
        f"S{number}": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "nullable": True},
                "next": {"$ref": f"#/components/schemas/S{(number + 1) % 500}"},
            },
        }
        for number in range(500)
    }
    paths = {f"/v1/r{number}/{{id}}": {"post": operation(number)} for number in range(operations)}
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


@pytest.mark.long
def test_three_megabytes_and_five_thousand_operations_load_quickly(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(_large_document(5_000), indent=1))
    assert path.stat().st_size > 3_000_000

    tracemalloc.start()
    document = read_document(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    before = time.process_time()
    read_document(path)
    operations = compile_operations(Documents("large", document))
    routes = Routes(list(operations.values()))
    took_s = time.process_time() - before

    assert len(operations) == 5_000
    assert peak < 200_000_000
    assert took_s < 3

    def match_s(routes: Routes, path: str) -> float:
        best = 1.0
        for _ in range(20):
            before = time.process_time()
            for _ in range(200):
                routes.find("POST", path)
            best = min(best, time.process_time() - before)
        return best

    few = Routes([operations[f"op{number}"] for number in range(5)])
    assert match_s(routes, "/v1/r4/x") < 3 * match_s(few, "/v1/r4/x")
