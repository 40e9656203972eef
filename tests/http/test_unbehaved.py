"""Operations that no behaviour file names: what a lone OpenAPI file is answered with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.linting.lint import problems_of
from screentest.specs.openapi.generating import generate

_SAMPLES = os.environ.get("SCREENTEST_OPENAPI_SAMPLES", "")
_FILE = """
openapi: 3.0.3
info: {title: Lamp Video API, version: '1'}
servers: [{url: 'https://{region}.lamp.example/v1', variables: {region: {default: eu}}}]
security: [{key: [], team: []}, {basic: []}]
paths:
  /videos:
    get:
      operationId: listVideos
      parameters: [{name: size, in: query, schema: {type: integer, maximum: 9}}]
      responses:
        200:
          description: ok
          headers: {X-Total: {required: true, schema: {type: integer, minimum: 3}}}
          content:
            application/json:
              schema: {type: array, minItems: 2, items: {$ref: '#/components/schemas/Video'}}
              examples:
                none: {value: [{id: a, state: done}, {id: b, state: done}]}
                odd: {value: [{id: c, state: odd}]}
            text/csv: {example: 'id,state'}
        4XX: {$ref: '#/components/responses/Problem'}
    post:
      operationId: createVideo
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [prompt], properties: {prompt: {type: string}}}
      responses:
        201:
          description: made
          content: {application/json: {schema: {$ref: '#/components/schemas/Video'}}}
        default: {$ref: '#/components/responses/Problem'}
  /videos/{id}:
    delete: {operationId: deleteVideo, security: [], responses: {204: {description: gone}}}
  /videos/{id}/file:
    get:
      operationId: getFile
      security: [{cookie: []}, {}]
      responses: {200: {description: ok, content: {video/mp4: {}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
    team: {type: apiKey, in: header, name: X-Team}
    basic: {type: http, scheme: basic}
    cookie: {type: apiKey, in: cookie, name: sid}
  responses:
    Problem:
      description: no
      content:
        application/json:
          schema:
            type: object
            required: [error]
            properties:
              error:
                type: object
                required: [code, message]
                properties: {code: {type: integer}, message: {type: string}}
  schemas:
    Video:
      type: object
      required: [id, state]
      properties:
        id: {type: string, pattern: '^[a-f0-9]{8}$|^[abc]$'}
        state: {type: string, enum: [queued, done]}
        secret: {type: string, writeOnly: true}
        parent: {$ref: '#/components/schemas/Video'}
"""


class Served:
    """A mock of one contract, called with the key of its first account."""

    def __init__(self, place: Path, *, refuses_unbehaved: bool = False) -> None:
        self.contract = read_contract(place)
        app = create_app(contracts=[self.contract], refuses_unbehaved=refuses_unbehaved)
        self._client = Client(app, use_cookies=False)
        env = self.call("GET", "/_screentest/worlds/default").get_json()["env"]
        self.key: str = next((it for name, it in env.items() if name.endswith("_API_KEY")), "")

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Json = None
    ) -> TestResponse:
        return self._client.open(path, method=method, headers=dict(headers or {}), json=body)

    def lamp(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Json = None
    ) -> TestResponse:
        """Call the operation at *path* with the credentials of the file's first set."""
        sign = "&" if "?" in path else "?"
        sent = {"X-Team": self.key, **(headers or {})}
        return self.call(method, f"/lamp_video{path}{sign}api_key={self.key}", sent, body)

    def lines(self) -> list[Json]:
        found: Json = self.call("GET", "/_screentest/worlds/default/requests").get_json()
        return list(found["items"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.yaml"
    path.write_text(_FILE)
    return path


@pytest.fixture
def served(file: Path) -> Served:
    return Served(file)


def test_a_lone_openapi_file_names_its_provider(served: Served) -> None:
    behaviour = served.contract.behaviour

    assert (behaviour.provider, behaviour.name) == ("lamp_video", "Lamp Video API")
    assert behaviour.base_url == "https://eu.lamp.example/v1"
    assert behaviour.environment == {
        "LAMP_VIDEO_BASE_URL": "base_url",
        "LAMP_VIDEO_API_KEY": "api_key",
    }
    assert list(problems_of(served.contract.place)) == []


def test_an_example_is_the_answer_and_says_that_nothing_is_behind_it(served: Served) -> None:
    answer = served.lamp("GET", "/videos")

    assert (answer.status_code, answer.headers["X-Screentest-Reason"]) == (200, "unbehaved")
    assert answer.get_json() == [{"id": "a", "state": "done"}, {"id": "b", "state": "done"}]
    assert int(answer.headers["X-Total"]) >= 3


def test_without_an_example_a_value_is_made_that_its_schema_permits(served: Served) -> None:
    made = served.lamp("POST", "/videos", body={"prompt": "a lamp"})
    schema = served.contract.operations["createVideo"].replies["201"].content["application/json"]

    assert made.status_code == 201
    assert schema is not None
    assert schema.is_valid(made.get_json())
    assert "secret" not in made.get_json()


def test_reads_of_one_place_are_the_same_in_each_run(file: Path) -> None:
    wanted = {"Prefer": "dynamic=true"}
    one, other = (Served(file).lamp("GET", "/videos?size=3", wanted) for _ in range(2))

    assert one.get_json() == other.get_json()
    assert one.get_json() != Served(file).lamp("GET", "/videos?size=4", wanted).get_json()


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ("example=none", 200, [{"id": "a", "state": "done"}, {"id": "b", "state": "done"}]),
        ("code=404", 404, {"error": {"code": 1, "message": "string"}}),
        (
            "code=503",
            404,
            {"title": "Not Found", "status": 404, "detail": "Prefer: no reply '503'"},
        ),
        (
            "example=some",
            404,
            {"title": "Not Found", "status": 404, "detail": "Prefer: no example"},
        ),
    ],
)
def test_a_request_may_prefer_a_documented_answer(
    served: Served, wanted: str, status: int, body: Json
) -> None:
    answer = served.lamp("GET", "/videos", {"Prefer": wanted})
    got = answer.get_json()
    if "detail" in body:
        assert got["detail"].startswith(body.pop("detail"))
        del got["detail"]

    assert (answer.status_code, got) == (status, body)


def test_the_media_type_is_one_that_the_caller_accepts(served: Served) -> None:
    csv = served.lamp("GET", "/videos", {"Accept": "text/*"})
    video = served.lamp("GET", "/videos/7/file")

    assert (csv.content_type.partition(";")[0], csv.text) == ("text/csv", "id,state")
    assert (video.content_type, video.data[4:8]) == ("video/mp4", b"ftyp")


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "words"),
    [
        ("GET", "/videos?size=10", {}, None, 422, "size: expected at most 9, got 10"),
        ("POST", "/videos", {}, {}, 422, "prompt: expected a value, got nothing"),
        (
            "POST",
            "/videos",
            {"Content-Type": "text/plain"},
            None,
            415,
            "expected application/json, got text/plain; send",
        ),
        (
            "GET",
            "/videos",
            {"X-Team": "other"},
            None,
            401,
            "expected a key of Lamp Video API in this world, got a key that this mock did not make",
        ),
    ],
)
def test_a_wrong_request_is_refused_in_the_documented_form(
    served: Served,
    method: str,
    path: str,
    headers: dict[str, str],
    body: Json,
    status: int,
    words: str,
) -> None:
    answer = served.lamp(method, path, headers, body)

    assert answer.status_code == status
    assert answer.get_json()["error"]["message"].startswith(words)


def test_credentials_are_taken_where_the_file_says(served: Served) -> None:
    from base64 import b64encode

    def status(path: str, **headers: str) -> int:
        return served.call("GET", f"/lamp_video{path}", headers).status_code

    basic = b64encode(f"{served.key}:".encode()).decode()
    assert status("/videos") == 401
    assert status(f"/videos?api_key={served.key}") == 401
    assert status("/videos", Authorization=f"Basic {basic}") == 200
    assert status("/videos/7/file") == 200
    assert status("/videos/7/file", Cookie=f"a=b; sid={served.key}") == 200
    assert status("/videos/7/file", Cookie="sid=wrong") == 401
    assert served.call("DELETE", "/lamp_video/videos/7").status_code == 204


def test_no_key_is_kept_in_the_journal(served: Served) -> None:
    served.lamp("GET", "/videos")
    served.call("GET", "/lamp_video/videos/7/file", {"Cookie": f"sid={served.key}"})

    assert served.key not in str(served.lines())


def test_a_strict_mock_answers_501(file: Path) -> None:
    answer = Served(file, refuses_unbehaved=True).lamp("GET", "/videos")

    assert answer.status_code == 501
    assert answer.get_json()["detail"] == (
        "behaviour.yaml of Lamp Video API does not say what listVideos does; "
        "name it there, or serve without --strict"
    )


def test_behaviour_is_added_piece_by_piece(file: Path) -> None:
    (file.parent / "behaviour.yaml").write_text(
        "behaviour: 1\n"
        "lifecycles:\n"
        "  film: {source: A1, edges: {queued: [done], done: []},\n"
        "    states: {queued: {kind: waiting, lasts_ms: [10, 10]}, done: {kind: succeeded}}}\n"
        "resources: {film: {id: 'a{hex:7}', lifecycle: film, view: {id: $id, state: $state}}}\n"
        "operations: {createVideo: {effect: write, does: create, starts: film}}\n"
    )
    served = Served(file.parent)

    made = served.lamp("POST", "/videos", body={"prompt": "a lamp"})

    assert list(problems_of(file.parent)) == []
    assert (made.status_code, made.get_json()["state"]) == (201, "queued")
    assert "X-Screentest-Reason" not in made.headers
    assert served.lamp("GET", "/videos").headers["X-Screentest-Reason"] == "unbehaved"


def test_a_name_that_the_openapi_file_lacks_is_refused_with_the_nearest(file: Path) -> None:
    path = file.parent / "behaviour.yaml"
    path.write_text("behaviour: 1\noperations:\n  createVideos: {effect: write}\n")

    with pytest.raises(ContractError) as raised:
        _ = read_contract(file.parent).operations

    assert str(raised.value) == (
        f"{path}:3: at operations/createVideos: no operation 'createVideos'; did you mean "
        "'createVideo'? (there are: createVideo, deleteVideo, getFile, listVideos)"
    )


def test_a_schema_without_any_value_is_a_mistake_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "lamp_video.yaml"
    path.write_text(
        "openapi: 3.1.0\npaths: {/v: {get: {operationId: none, responses: {200: {content: "
        "{application/json: {schema: {type: integer, minimum: 2, maximum: 1}}}}}}}}\n"
    )
    served = Served(path)

    answer = served.lamp("GET", "/v")

    assert (answer.status_code, answer.headers["X-Screentest-Reason"]) == (500, "contract:mistake")
    assert served.lines()[0]["findings"][0]["code"] == "SC503"


@pytest.mark.parametrize("anything", ["true", "false", "{}"])
def test_a_reference_may_lead_to_a_schema_of_one_word(tmp_path: Path, anything: str) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(
        f"""
openapi: 3.1.0
info: {{title: Lamp, version: '1'}}
paths:
  /lamps:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties: {{next: {{$ref: '#/components/schemas/Anything'}}}}
components: {{schemas: {{Anything: {anything}}}}}
"""
    )

    answer = Served(file).call("GET", "/lamp/lamps")

    assert (answer.status_code, answer.headers["X-Screentest-Reason"]) == (200, "unbehaved")


@pytest.mark.skipif(not Path(_SAMPLES, "heygen.json").is_file(), reason="no sample files here")
@pytest.mark.parametrize("name", ["heygen", "magic_hour", "magic_hour.webhooks"])
def test_every_operation_of_a_public_file_answers_what_it_documents(name: str) -> None:
    from random import Random

    served = Served(Path(_SAMPLES, f"{name}.json"))
    headers = {"Authorization": f"Bearer {served.key}", "X-Api-Key": served.key}
    wrong: dict[str, str] = {}
    for operation in served.contract.operations.values():
        body = operation.bodies.get("application/json")
        value = generate(body, Random(1)) if body is not None else None
        path = f"/{served.contract.provider}{operation.path}".replace("{", "").replace("}", "")
        answer = served.call(operation.method, path, headers, value)
        broken = operation.reply_violations(answer.status_code, None, None)
        if answer.status_code >= 500 or broken:
            wrong[operation.id] = f"{answer.status_code} {answer.text[:200]}"

    assert wrong == {}
