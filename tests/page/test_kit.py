"""Reports of the kit and of explorations, opened in the page."""

from __future__ import annotations

import io
import json

import pytest

from .visitor import Page, Visitor

EVIL = "<img src=x onerror=alert(1)>"
VERIFIED = "\n".join(
    json.dumps(it)
    for it in (
        {
            "type": "run",
            "provider": "ulazai",
            "target": "http://127.0.0.1:9",
            "seconds": 1.25,
            "requests": 30,
            "credits": 80,
            "rules": {"kept": 1, "broken": 1},
        },
        {"type": "rule", "id": "a", "summary": "an answer has its shape", "verdict": "kept"},
        {"type": "rule", "id": "b", "summary": EVIL, "verdict": "broken", "why": "it said 500"},
    )
)
EXPLORED = json.dumps(
    {
        "summary": "2 runs, 1 broken",
        "cells": [
            {"cell": "1/lost", "summary": "lost", "verdicts": ["PAID_TWICE"], "is_bad": True},
            {"cell": "2/late", "summary": "late", "verdicts": ["RECOVERED"], "is_bad": False},
        ],
        "stories": [
            {
                "verdict": "PAID_TWICE",
                "cell": "1/lost",
                "steps": [{"at_s": 0.5, "call": "POST /x", "outcome": "lost", "times": 2}],
                "ending": "paid 160 credits",
                "fix": "send a key",
                "command": "screentest explore --only 1/lost -- python client.py",
            }
        ],
    }
)


def _opened(visitor: Visitor, content: str | bytes, name: str = "report.json") -> Page:
    form = visitor.page("/kit").form("kit")
    file = content if isinstance(content, bytes) else content.encode()
    answer = visitor.wsgi.post(
        form.action, data={**form.fields, "report": (io.BytesIO(file), name)}
    )
    return Page(answer.get_data(as_text=True))


def test_a_report_of_verify_shows_what_is_broken_first(visitor: Visitor) -> None:
    page = _opened(visitor, VERIFIED)

    assert "ulazai: http://127.0.0.1:9" in page.text
    assert page.text.index("it said 500") < page.text.index("an answer has its shape")
    assert EVIL in page.text
    assert not [it for tag, it in page.tags if tag == "img" and it.get("src") == "x"]


def test_a_report_of_explore_tells_each_story_and_lists_the_cells(visitor: Visitor) -> None:
    text = _opened(visitor, EXPLORED).text

    assert "PAID_TWICE at 1/lost" in text
    assert "lost ×2" in text
    assert "paid 160 credits" in text
    assert "screentest explore --only 1/lost" in text


@pytest.mark.parametrize("content", ["", "[]", '{"type"', '{"type": 3}', "{}", b"\xff\xfe{}"])
def test_another_file_is_refused_in_one_line(visitor: Visitor, content: str | bytes) -> None:
    page = _opened(visitor, content, name="holiday.json")

    assert "'holiday.json' is not a report of `verify --report ndjson:FILE`" in page.text


def test_a_report_of_another_session_and_one_that_is_too_large_are_refused(
    visitor: Visitor,
) -> None:
    form = visitor.page("/kit").form("kit")
    foreign = {"form_token": "other", "report": (io.BytesIO(EXPLORED.encode()), "a")}
    large = {**form.fields, "report": (io.BytesIO(b" " * (8 * 1024 * 1024 + 1)), "a")}

    assert visitor.wsgi.post(form.action, data=foreign).status_code == 403
    assert visitor.wsgi.post(form.action, data=large).status_code == 413
