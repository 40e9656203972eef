"""Recordings of other programs and edited ones: read, or refused with the place of the mistake."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from screentest.contract_tests.recordings.recorded import (
    judge_recording,
    read_recording,
    recording_lines,
)
from screentest.contract_tests.traces.strict_json import read_json
from screentest.contract_tests.traces.trace_file import write_trace
from screentest.specs.json_types import Json

from .hands import PROVIDERS, recording
from .har_writer import write_har

_ENTRY = {"request": {"method": "GET", "url": "https://lamp.example/api/v1/videos", "headers": []}}
_ANSWER = {"status": 200, "headers": []}
#: What a place in a file may become.
_ODD: tuple[Json, ...] = (
    None,
    0,
    -1,
    10**20,
    1.5,
    True,
    "",
    "x",
    "é",
    [],
    {},
    [1],
    {"a": 1},
    "http://[::1",
)


def _entry(**response: Json) -> str:
    return json.dumps({"log": {"entries": [{**_ENTRY, "response": {**_ANSWER, **response}}]}})


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("a letter", "FILE is not a HAR file: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "FILE is not a HAR file: expected `object`, got `array`"),
        ('{"log": 3}', "FILE is not a HAR file: at log: expected `object`, got `int`"),
        ('{"log": {"entries": [1]}}', "FILE: entry 1: expected `object`, got `int`"),
        (
            '{"log": {"entries": [{"request": {"method": "GET"}, "response": {}}]}}',
            "FILE: entry 1: at request: object missing required field `url`",
        ),
        (
            '{"log": {"entries": [{"response": {}, '
            '"request": {"method": "GET", "url": "http://[::1"}}]}}',
            "FILE: entry 1: at request/url: Invalid IPv6 URL",
        ),
        (
            json.dumps({"log": {"entries": [_ENTRY]}}),
            "FILE: entry 1: object missing required field `response`",
        ),
        (
            _entry(status="200"),
            "FILE: entry 1: at response/status: expected `int | null`",
        ),
        (
            _entry(content={"text": "abc", "encoding": "base64"}),
            "FILE: entry 1: at response/content/text: no base64: ",
        ),
        ("[" * 100_000, "FILE is not a HAR file: nested deeper than 500"),
        ('{"trace": 1}', "FILE is a trace of None, not 'ozor'"),
        (
            '{"trace": 1, "provider": "ozor"}\n{"x": 1}\n',
            "FILE: line 2: object missing required field `actor`",
        ),
        (
            '{"trace": 1, "provider": "ozor"}\n{"balance": "owner", "at_ms": "now", '
            '"available": 1, "held": 0}\n',
            "FILE: line 2: at at_ms: expected `int`, got `str`",
        ),
        ('{"trace": 1, "provider": "ozor"}\n\n{}', "FILE: line 2 is not JSON: Expecting value"),
    ],
)
def test_file_other_than_a_recording_is_refused_with_the_place(
    tmp_path: Path, text: str, detail: str
) -> None:
    path = tmp_path / "file"
    path.write_text(text)

    with pytest.raises(ValueError, match="^" + re.escape(detail.replace("FILE", str(path)))):
        read_recording(path, "ozor")


@pytest.mark.parametrize(
    ("response", "read"),
    [
        ({"status": 0}, 1),
        ({"content": None}, 2),
        ({"content": {"text": None, "mimeType": None}}, 2),
        ({"content": {"mimeType": "application/json", "text": "[" * 5_000}}, 2),
        ({"content": {"mimeType": "application/json", "text": '{"a": NaN}'}}, 2),
        ({"content": {"mimeType": "application/json", "text": '"\\ud800"'}}, 2),
    ],
    ids=["no answer", "no content", "no text", "deep", "NaN", "half a character"],
)
def test_what_browsers_leave_out_and_servers_get_wrong_is_read(
    tmp_path: Path, response: Json, read: int
) -> None:
    path = tmp_path / "file"
    entries = [{**_ENTRY, "response": {**_ANSWER, **it}} for it in (response, _ANSWER)]
    path.write_text(json.dumps({"log": {"entries": entries}}))

    recording = read_recording(path, "ozor")
    lines = list(recording_lines(recording, judge_recording(recording.trace)))

    assert len(recording.trace.exchanges) == read
    assert any(line.startswith(f"{read} exchanges") for line in lines)


def test_file_may_begin_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("\ufeff" + _entry())

    assert len(read_recording(path, "ozor").trace.exchanges) == 1


def test_recording_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=(_entry(),), daemon=True).start()

    assert len(read_recording(pipe, "ozor").trace.exchanges) == 1


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("[" * 65 + "]" * 65, "nested deeper than 64"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested deeper than 64"),
        ("[NaN]", "nan is not a JSON number"),
        ("[1e999]", "inf is not a JSON number"),
        (r'["\udc00"]', "a text holds half of a character"),
        (r'{"\ud800": 1}', "a text holds half of a character"),
    ],
)
def test_json_that_no_program_can_use_is_refused(text: str, detail: str) -> None:
    with pytest.raises(ValueError, match=f"^{detail}$"):
        read_json(text)


def test_json_at_the_edge_is_read() -> None:
    text = "[" * 64 + r'"\ud83d\ude00 é"' + "]" * 64

    assert json.dumps(read_json(text)) == text.replace("é", r"\u00e9")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_recording_with_odd_places_is_refused_or_judged(provider: str, tmp_path: Path) -> None:
    """A hundred files, each with a few places spoilt; none may end in anything but a verdict."""
    clean, odd, rng = tmp_path / "clean", tmp_path / "odd", Random(provider)
    write_har(recording(provider), clean, "https://lamp.example")
    har = clean.read_text()
    write_trace(recording(provider), clean)
    head, *lines = clean.read_text().splitlines()
    endings: set[str] = set()

    for number in range(100):
        spoilt = _spoilt(rng, json.loads(har) if number % 2 else [json.loads(it) for it in lines])
        rest = [json.dumps(it) for it in spoilt] if isinstance(spoilt, list) else []
        odd.write_text(json.dumps(spoilt) if number % 2 else "\n".join([head, *rest]))
        endings.add(_ending(odd, provider))

    assert endings == {"refused", "judged"}


def _ending(path: Path, provider: str) -> str:
    try:
        recording = read_recording(path, provider)
    except ValueError as error:
        return "refused" if "\n" not in str(error) else f"refused in several lines: {error}"
    list(recording_lines(recording, judge_recording(recording.trace)))
    return "judged"


def _spoilt(rng: Random, value: Json) -> Json:
    """*value* with up to three of its places changed or gone."""
    for _ in range(rng.randint(1, 3)):
        holder, key = rng.choice(list(_places(value)))
        if rng.random() < 0.25:
            del holder[key]
        else:
            holder[key] = rng.choice(_ODD)
        if not value:
            break
    return value


def _places(value: Json) -> Iterator[tuple[Json, Json]]:
    keys = range(len(value)) if isinstance(value, list) else list(value)
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
