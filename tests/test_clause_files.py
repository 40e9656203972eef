"""Reading clauses.yaml: its form, its names, and when two subjects fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from screentest.specs.clauses.clauses import Clause, Subject, read_clauses, subject
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError

LANTERN = Path(__file__).parent / "lantern"


def clauses_from(folder: Path, text: str) -> list[Clause]:
    """The clauses that *text* gives the contract of the lantern provider."""
    for name in ("openapi.yaml", "behaviour.yaml"):
        shutil.copy(LANTERN / name, folder)
    (folder / "clauses.yaml").write_text(text)
    return list(read_clauses(read_contract(folder)).values())


def test_a_value_of_a_subject_is_a_scalar_or_a_list(tmp_path: Path) -> None:
    text = """
LA-001:
  says: "An empty title is answered 400."
  about: {operation: createFilm, field: [title, name], status: 400, header: X-Api-Key}
LA-002:
  says: "Poll every second."
  about: {topic: cadence}
  binds: client
  because: "Advice."
"""

    assert clauses_from(tmp_path, text) == [
        Clause(
            "LA-001",
            "An empty title is answered 400.",
            Subject(
                operation=frozenset({"createFilm"}),
                field=frozenset({"title", "name"}),
                status=frozenset({400}),
                header=frozenset({"x-api-key"}),
            ),
        ),
        Clause(
            "LA-002",
            "Poll every second.",
            Subject(topic=frozenset({"cadence"})),
            "client",
            "Advice.",
        ),
    ]


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("{says: X., about: {operation: createFilms}}", "no operation 'createFilms'; did you mean"),
        ("{says: X., about: {lifecycle: clips}}", "no lifecycle 'clips'"),
        ("{says: X., about: {resource: movie}}", "no resource 'movie'"),
        ("{says: X., about: {topic: weather}}", "about/topic: no value 'weather'"),
        ("{says: X., about: {status: '400'}}", '"400" is not of type "integer"'),
        ("{says: X., about: {verb: GET}}", "about/verb: no field 'verb'"),
        ("{says: X., about: {topic: price, never: rate}}", "about/never: no field 'never'"),
        ("{says: X., about: {}}", "`about` names nothing"),
        ("{says: X.}", '"about" is a required property'),
        ("A sentence.", '"A sentence." is not of type "object"'),
        ("{about: {topic: price}}", '"says" is a required property'),
        ("{says: X., about: {topic: price}, binds: cook}", "binds: no value 'cook'"),
        ("{says: X., about: {topic: price}, binds: client}", "`because` goes with"),
        ("{says: X., about: {topic: price}, because: Y.}", "`because` goes with"),
    ],
)
def test_a_wrong_clause_is_refused(tmp_path: Path, clause: str, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        clauses_from(tmp_path, f"LA-001: {clause}")

    assert "clauses.yaml:1: at LA-001" in str(caught.value)


def test_a_contract_needs_no_clauses(tmp_path: Path) -> None:
    for name in ("openapi.yaml", "behaviour.yaml"):
        shutil.copy(LANTERN / name, tmp_path)

    assert read_clauses(read_contract(tmp_path)) == {}


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ({"operation": "a"}, {"operation": ["a", "b"]}, True),
        ({"operation": "a"}, {"operation": "b"}, False),
        # Without a common value there is nothing to cite.
        ({"operation": "a"}, {"status": 400}, False),
        ({"operation": "a", "status": 400}, {"status": 400}, True),
        # Each dimension that both name must meet.
        ({"operation": "a", "field": "prompt"}, {"operation": "a", "field": "limit"}, False),
        ({"operation": "a", "field": "prompt"}, {"operation": "a"}, True),
        ({"field": "voice.id"}, {"field": "voice"}, True),
        ({"field": "id"}, {"field": "voice.id"}, True),
        ({"field": "oice"}, {"field": "voice"}, False),
        ({"header": "X-API-Key"}, {"header": "x-api-key"}, True),
        ({}, {}, False),
    ],
)
def test_two_subjects_fit(one: dict[str, object], other: dict[str, object], *, fits: bool) -> None:
    assert subject(one).fits(subject(other)) is fits
    assert subject(other).fits(subject(one)) is fits


def test_a_place_that_is_never_about_a_topic_fits_no_clause_about_it_alone() -> None:
    place = Subject(operation=frozenset({"a"}), never=frozenset({"cadence"}))

    assert not subject({"operation": "a", "topic": "cadence"}).fits(place)
    assert subject({"operation": "a", "topic": ["cadence", "error"]}).fits(place)
    assert subject({"operation": "a"}).fits(place)
