"""Reading contract files: their decoded form is used when it is theirs, and only then."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError
from screentest.specs.files import decoded_path, read_yaml, write_decoded

from ..tree import ROOT

SPECS = ROOT / "specs"


@pytest.fixture
def lamp(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.yaml"
    path.write_text("state: lit\nsince: 2026-01-01\n", encoding="utf-8")
    return path


def _change_decoded(path: Path, **changes: object) -> None:
    document = orjson.loads(decoded_path(path).read_bytes())
    decoded_path(path).write_bytes(orjson.dumps(document | changes))


def test_a_file_and_its_decoded_form_say_the_same(lamp: Path) -> None:
    from_yaml = read_yaml(lamp)
    write_decoded(lamp)

    assert read_yaml(lamp) == from_yaml == {"state": "lit", "since": "2026-01-01"}


def test_the_decoded_form_is_read_instead_of_the_file(lamp: Path) -> None:
    write_decoded(lamp)
    _change_decoded(lamp, content={"state": "from the decoded form"})

    assert read_yaml(lamp) == {"state": "from the decoded form"}


def test_the_decoded_form_of_another_text_is_not_read(lamp: Path) -> None:
    write_decoded(lamp)
    lamp.write_text("state: out\n", encoding="utf-8")

    assert read_yaml(lamp) == {"state": "out"}


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'"of"', b"\xff\x00", b'{"of": null}'])
def test_garbage_in_place_of_the_decoded_form_is_passed_over(lamp: Path, garbage: bytes) -> None:
    decoded_path(lamp).write_bytes(garbage)

    assert read_yaml(lamp) == {"state": "lit", "since": "2026-01-01"}


def test_what_json_cannot_say_is_not_decoded(lamp: Path) -> None:
    lamp.write_text("{1: one}", encoding="utf-8")

    with pytest.raises(ContractError, match="^.*lamp.yaml cannot be said in JSON: Dict key must"):
        write_decoded(lamp)

    assert not decoded_path(lamp).exists()


def test_a_contract_is_checked_unless_it_is_as_it_was_built(tmp_path: Path) -> None:
    path = tmp_path / "behaviour.yaml"
    for name in ("behaviour.yaml", "openapi.yaml"):
        (tmp_path / name).write_bytes((SPECS / "ulazai" / name).read_bytes())
    write_decoded(path)
    built = read_contract(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "weather: fine\n", encoding="utf-8")

    assert built.behaviour.name == "UlazAI"
    with pytest.raises(ContractError, match=r"behaviour.yaml:\d+: .*no field 'weather'"):
        read_contract(tmp_path)
