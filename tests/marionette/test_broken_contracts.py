"""A contract with a mistake: lint reports it, and the mock answers it with a journaled 500."""

from __future__ import annotations

from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.clock import Mode
from screentest.mock_server.kernel.errors import MockError
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.linting.lint import problems_of

from ..mock_client import Client, MockWorld, make_world

_FOLDER = Path(__file__).parent
_RULES = yaml.safe_load((_FOLDER / "behaviour.yaml").read_text())
_SHAPES = yaml.safe_load((_FOLDER / "openapi.yaml").read_text())


def _write(folder: Path, rules: Json, shapes: Json = _SHAPES) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(rules, sort_keys=False))
    (folder / "openapi.yaml").write_text(yaml.safe_dump(shapes, sort_keys=False))
    return folder


def _changed(document: Json, pointer: str, value: Json) -> Json:
    """*document* with *value* at *pointer*; None removes the member."""
    copied: Json = yaml.safe_load(yaml.safe_dump(document))
    *above, last = pointer.split("/")
    inner = copied
    for step in above:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copied


def _serve(folder: Path) -> MockWorld:
    return make_world(WsgiClient(create_app(contracts=[read_contract(folder)])))


_MISTAKES: dict[str, tuple[str, Json, str]] = {
    "word of an id": ("resources/play/id", "play_{hexx:8}", "no word 'hexx'; did you mean 'hex'?"),
    "id without a place": ("resources/play/id", "play", "so all would be the same"),
    "word of a key": ("credentials/stageKey/form", "stage_{base99:24}", "no word 'base99'"),
    "value with the name of a fact": (
        "resources/play/let",
        {"content": "$id"},
        "at resources/play/let/content: there is a fact of that name",
    ),
    "name in a view": ("resources/play/view/id", "$idd", "no fact 'idd'; did you mean 'id'?"),
    "expression in a view": (
        "resources/play/view/id",
        "$id +",
        "resources/play/view/id: expression 'id +', column 5: expected a value, got 'the end'",
    ),
    "state in a view": ("resources/play/view/when", {"done": {}}, "no state 'done'"),
    "name in an answer": ("operations/listPlays/answer", {"plays": "$itms"}, "no fact 'itms'"),
    "name in a webhook": ("webhooks/body/note", "$idd", "no fact 'idd'"),
    "name in a header": ("webhooks/headers/Stage-Try", "{attemt}", "no fact 'attemt'"),
    "name in a message": (
        "refusals/replies/not_found/message",
        "No {resorce}.",
        "no fact 'resorce'; did you mean 'resource'?",
    ),
    "headers without names": (
        "operations/listPlays/headers",
        ["a"],
        'at operations/listPlays/headers: ["a"] is not of types "string", "object"',
    ),
    "status that is a word": (
        "operations/listPlays/status",
        "fine",
        'at operations/listPlays/status: "fine" does not match',
    ),
    "status that is not documented": (
        "operations/listPlays/status",
        202,
        "at operations/listPlays/status: no reply '202'",
    ),
    "expression in a message": (
        "refusals/replies/not_found/message",
        "$resource +",
        "at refusals/replies/not_found/message: expression 'resource +', column 11",
    ),
    "expression in the body of refusals": (
        "refusals/body",
        {"error": "$message ("},
        "at refusals/body/error: expression 'message ('",
    ),
    "expression in a stream": (
        "streams",
        {
            "createPlay": {
                "lifecycle": "performance",
                "events": [{"event": "$id +"}],
                "on_error": {"event": "error"},
                "order": ["done"],
                "last": ["done", "error"],
                "name_field": "event",
                "rising_field": "progress",
            }
        },
        "at streams/createPlay/event: expression 'id +'",
    ),
    "price without an account": (
        "operations/createPlay/anonymous",
        True,
        "no credential, so no account",
    ),
}


@pytest.mark.parametrize("what", _MISTAKES)
def test_lint_finds_a_mistake_that_the_schema_cannot_see(what: str, tmp_path: Path) -> None:
    pointer, value, detail = _MISTAKES[what]

    found = list(problems_of(_write(tmp_path / "stage", _changed(_RULES, pointer, value))))

    assert [detail in it for it in found] == [True], found
    assert str(tmp_path / "stage" / "behaviour.yaml") in found[0]


def test_lint_names_all_mistakes_at_once(tmp_path: Path) -> None:
    rules = _changed(_RULES, "resources/play/id", "play_{hexx:8}")
    rules = _changed(rules, "operations/listPlays/answer", {"plays": "$itms", "n": "$1 +"})

    found = list(problems_of(_write(tmp_path / "stage", rules)))

    assert [it.partition(": at ")[2].partition(": ")[0] for it in found] == [
        "resources/play/id",
        "operations/listPlays/answer/n",
    ]


def test_operation_without_an_example_has_a_value_made_for_its_schema(
    tmp_path: Path,
) -> None:
    shapes = yaml.safe_load(yaml.safe_dump(_SHAPES))
    reply = shapes["paths"]["/v1/puppets"]["get"]["responses"]["200"]
    del reply["content"]["application/json"]["example"]

    found = list(problems_of(_write(tmp_path / "stage", _RULES, shapes)))

    assert found == []


def test_lint_finds_a_citation_of_a_clause_that_is_not_there(tmp_path: Path) -> None:
    folder = _write(tmp_path / "stage", _changed(_RULES, "limits/source", "MA-099"))
    clauses = {
        f"MA-{number:03}": {"says": "Something.", "about": {"topic": "time"}}
        for number in range(1, 14)
    }
    (folder / "clauses.yaml").write_text(yaml.safe_dump(clauses))

    found = list(problems_of(folder))

    missing = [it for it in found if it.endswith("which does not exist")]
    assert missing == [f"{folder}/behaviour.yaml: limits: cites MA-099, which does not exist"]


@pytest.mark.parametrize(
    ("reason", "path", "status", "words"),
    [
        (
            "missing_credential",
            "/v1/plays",
            401,
            "expected X-Stage-Key: KEY, got no credential; send `X-Stage-Key: KEY`",
        ),
        (
            "unknown_route",
            "/v1/pays",
            404,
            "expected a documented path, got GET /v1/pays; see the provider's operations",
        ),
        (
            "not_found",
            "/v1/plays/play_0",
            404,
            "expected a play of this account, got play_0; check the id: a deleted",
        ),
    ],
)
def test_refusal_without_a_reply_is_made_for_the_schema_with_our_words(
    reason: str, path: str, status: int, words: str, tmp_path: Path
) -> None:
    folder = _write(tmp_path / "stage", _changed(_RULES, f"refusals/replies/{reason}", None))
    world = _serve(folder)
    account = world.account("marionette")
    client = account.client if "play_0" in path else world.anonymous("marionette")

    answer = client.get(path)

    assert answer.status == status
    assert answer.json()["fault"]["says"].startswith(words)


def test_contract_with_some_replies_is_in_order_and_the_rest_have_its_form(tmp_path: Path) -> None:
    rules = _changed(_RULES, "refusals/replies", {"invalid": {"status": 422, "message": "No."}})
    folder = _write(tmp_path / "stage", rules)
    account = _serve(folder).account("marionette", credits=0)

    worded = account.client.post("/v1/plays", json={"title": 7})
    made = account.client.post("/v1/plays", json={"title": "Faust"})

    assert list(problems_of(folder)) == []
    assert (worded.status, worded.json()["fault"]["says"]) == (422, "No.")
    assert (made.status, sorted(made.json()["fault"])) == (402, ["says"])


def test_bad_form_of_an_id_is_a_journaled_mistake_of_the_contract(tmp_path: Path) -> None:
    world = _serve(
        _write(tmp_path / "stage", _changed(_RULES, "resources/play/id", "job_{hexx:8}"))
    )
    account = world.account("marionette")

    answer = account.client.post("/v1/plays", json={"title": "Faust"})

    assert answer.status == 500
    assert "the form 'job_{hexx:8}' has no word 'hexx'" in answer.json()["detail"]
    assert "report" not in answer.json()["detail"]
    assert account.money == (50, 0, 0)


def test_reply_that_breaks_the_contract_leaves_no_job_and_no_hold(tmp_path: Path) -> None:
    world = _serve(_write(tmp_path / "stage", _changed(_RULES, "resources/play/view/id", "$null")))
    account = world.account("marionette")

    answer = account.client.post("/v1/plays", json={"title": "Faust"})

    assert (answer.status, answer.headers["x-screentest-reason"]) == (500, "contract:mistake")
    assert "createPlay 201: id: expected" in answer.json()["detail"]
    assert account.money == (50, 0, 0)
    assert world.control.get(f"{world.path}/jobs").json()["items"] == []
    assert [it["findings"][0]["code"] for it in world.requests()] == ["SC503"]


def test_lenient_mock_sends_a_reply_that_breaks_the_contract_with_a_warning(
    tmp_path: Path,
) -> None:
    folder = _write(tmp_path / "stage", _changed(_RULES, "resources/play/view/id", "$null"))
    app = create_app(contracts=[read_contract(folder)], is_strict=False)
    world = make_world(WsgiClient(app))
    account = world.account("marionette")

    answer = account.client.post("/v1/plays", json={"title": "Faust"})

    assert (answer.status, answer.json()["id"]) == (201, None)
    assert account.money == (40, 10, 0)
    (line,) = world.requests()
    found = [(it["code"], it["pointer"], it["severity"]) for it in line["findings"]]
    assert found == [("SC503", "/id", "warning")]


def test_anonymous_operation_needs_no_credential(tmp_path: Path) -> None:
    rules = _changed(_RULES, "operations/listPuppets/anonymous", True)
    folder = _write(tmp_path / "stage", rules)
    world = _serve(folder)
    anonymous = world.anonymous("marionette")

    open_, closed = anonymous.get("/v1/puppets"), anonymous.get("/v1/plays")

    assert list(problems_of(folder)) == []
    assert (open_.status, len(open_.json()["puppets"]), closed.status) == (200, 2, 401)


def _leaves(value: Json, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [at, *(it for name in value for it in _leaves(value[name], (*at, str(name))))]
    if isinstance(value, list):
        return [at, *(it for i, inner in enumerate(value) for it in _leaves(inner, (*at, str(i))))]
    return [at]


def _replaced(value: Json, path: tuple[str, ...], new: Json) -> Json:
    if not path:
        return new
    if isinstance(value, list):
        return [
            _replaced(it, path[1:], new) if str(i) == path[0] else it for i, it in enumerate(value)
        ]
    return {
        name: _replaced(it, path[1:], new) if str(name) == path[0] else it
        for name, it in value.items()
    }


_PLACES = [it for it in _leaves(_RULES) if it and it[0] not in {"behaviour", "provider"}]
_JUNK: st.SearchStrategy[Json] = st.sampled_from(
    [
        None,
        "",
        "x",
        "$x",
        "{x}",
        "{base36:3}",
        "$created.ms",
        0,
        -1,
        7,
        True,
        [],
        ["x"],
        {},
        "1 / 0",
    ]
)


def _sink(_: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    start("204 No Content", [])
    return []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _JUNK), min_size=1, max_size=3))
def test_no_contract_makes_the_mock_raise_or_forget_a_request(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[tuple[str, ...], Json]]
) -> None:
    rules = _RULES
    for place, junk in changes:
        try:
            rules = _replaced(rules, place, junk)
        except (AttributeError, TypeError):
            continue  # an earlier change has removed this part
    folder = _write(tmp_path_factory.mktemp("contract"), rules)
    try:
        app = create_app(contracts=[read_contract(folder)], plan=Plan(mode=Mode.MANUAL))
    except (ContractError, MockError):
        return  # refused before anything is served
    app.extensions["screentest.receivers"]["sink"] = _sink
    wsgi = WsgiClient(app)
    world = MockWorld(wsgi, "default", Client(wsgi, "/_screentest"))
    account = world.account("marionette")
    endpoint = {"provider": "marionette", "account": account.id, "url": "wsgi:sink"}
    controls = [world.control.post(f"{world.path}/webhooks/endpoints", json=endpoint)]

    answers = [
        world.anonymous("marionette").get("/v1/plays"),
        account.client.get("/v1/nowhere"),
        account.client.request("PUT", "/v1/plays"),
        account.client.post("/v1/plays", json={"title": "[[screentest:reject]]"}),
        account.client.post("/v1/plays", json={"title": 7}),
        account.client.post("/v1/plays", raw=b"{", headers={"Content-Type": "application/json"}),
        account.client.post("/v1/plays", json={"title": "Faust"}),
        account.client.get("/v1/plays"),
        account.client.get("/v1/puppets"),
        account.client.get("/_storage/films/x.mp4"),
    ]
    controls.append(world.control.post(f"{world.path}/clock/advance", json={"by_ms": 60_000}))
    answers.append(account.client.get("/v1/plays"))

    assert all(200 <= it.status <= 599 for it in [*controls, *answers])
    assert len(world.requests()) == len(answers)
