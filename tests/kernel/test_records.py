"""A record does what a frozen dataclass with slots does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, field
from typing import Any

import orjson
import pytest

from screentest.specs.records import fields_of, record


@record
class Price:
    """What something costs."""

    amount: int
    unit: str = "credits"
    parts: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_free(self) -> bool:
        return self.amount == 0


@record
class Point:
    """A place in a plane."""

    x: int
    y: int


@record(frozen=False)
class Counter:
    """A number that grows."""

    value: int = 0


def test_fields_are_given_in_order_or_by_name_and_defaults_fill_the_rest() -> None:
    made = Price(3, parts={"base": 3})

    assert fields_of(made) == {"amount": 3, "unit": "credits", "parts": {"base": 3}}
    assert Price(amount=3, unit="credits", parts={"base": 3}) == made


def test_every_object_gets_a_default_of_its_own() -> None:
    assert Price(1).parts is not Price(1).parts


def test_wrong_fields_are_refused_in_pythons_words() -> None:
    @record
    class Place:
        """Made here, so that its first object is made here."""

        x: int

    untyped: Any = Place

    with pytest.raises(TypeError, match=r"Place.__init__\(\) missing 1 required .*: 'x'"):
        untyped()
    with pytest.raises(TypeError, match=r"__init__\(\) got an unexpected keyword argument 'y'"):
        untyped(x=1, y=2)


def test_records_of_one_class_are_equal_by_their_fields() -> None:
    counter: object = Counter(1)

    assert Price(1) == Price(1)
    assert Price(1) != Price(2)
    assert Price(1) != counter
    assert {Point(1, 2), Point(1, 2)} == {Point(1, 2)}


def test_a_record_is_never_changed_unless_its_class_says_so() -> None:
    made: Any = Price(1)
    counter = Counter()
    counter.value += 1

    assert counter == Counter(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'amount'"):
        made.amount = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'amount'"):
        del made.amount
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_a_record_has_no_room_for_other_attributes() -> None:
    counter: Any = Counter()

    with pytest.raises(AttributeError):
        counter.valeu = 1


def test_a_record_shows_its_fields() -> None:
    assert repr(Price(1)) == "Price(amount=1, unit='credits', parts={})"


def test_a_record_is_copied_and_pickled() -> None:
    made = Price(1, "eur", {"base": 1})

    assert copy.copy(made) == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made


def test_what_works_with_dataclasses_works_with_records() -> None:
    made = Price(1)
    untyped: Any = made

    assert dataclasses.is_dataclass(made)
    assert [it.name for it in dataclasses.fields(Price)] == ["amount", "unit", "parts"]
    assert dataclasses.replace(made, unit="eur") == Price(1, "eur")
    assert untyped.__replace__(unit="eur") == Price(1, "eur")
    assert dataclasses.asdict(made) == {"amount": 1, "unit": "credits", "parts": {}}
    assert orjson.dumps(made) == b'{"amount":1,"unit":"credits","parts":{}}'


def test_a_record_is_taken_apart_by_match() -> None:
    match Price(3):
        case Price(amount, unit):
            assert (amount, unit) == (3, "credits")


def test_a_record_keeps_what_its_class_says_besides() -> None:
    assert Price(0).is_free
    assert (Price.__doc__, Price.__qualname__) == ("What something costs.", "Price")
    assert Price.__module__ == __name__
