"""An exploration as a file: JSON, which is also a baseline; JUnit; and one HTML page."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from msgspec import to_builtins

from screentest.specs.html_page import html_page
from screentest.specs.json_types import Json
from screentest.specs.xml_text import xml_document

from ..kernel.errors import MockError
from ..reports.cost_report import cost_text
from .exploration import Exploration, Result
from .observation import Observed
from .text import Story, stories, summary, table
from .verdicts import Verdict


def write_report(kind: str, exploration: Exploration) -> str:
    """The text of a report of *kind*: html, junit or json."""
    return {"html": _html, "junit": _junit, "json": _json}[kind](exploration)


def known_cells(path: Path) -> Mapping[str, Collection[str]]:
    """The broken cells of an earlier JSON report, with the names of their verdicts.

    Raises:
        MockError: the file is not such a report.
    """
    try:
        cells: list[Json] = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return {it["cell"]: it["verdicts"] for it in cells if it["is_bad"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MockError(f"{path} is not a report of `explore --report json:FILE`") from None


def _json(exploration: Exploration) -> str:
    cells = [
        {
            "cell": it.cell.name,
            "summary": it.cell.summary,
            "verdicts": [verdict.name for verdict in it.verdicts],
            "is_bad": it.is_bad,
            "is_known": it.is_known,
            **_shown(it.run),
        }
        for it in exploration.results
    ]
    shown = [
        {
            "verdict": it.verdict.name,
            "cell": it.result.cell.name,
            "steps": to_builtins(it.steps),
            "ending": it.ending,
            "code": it.code,
            "fix": it.fix,
            "command": it.command,
            "others": list(it.others),
        }
        for it in stories(exploration)
    ]
    document = {
        "summary": summary(exploration),
        "undisturbed": _shown(exploration.plain),
        "left_out": exploration.left_out,
        "cells": cells,
        "stories": shown,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _shown(run: Observed) -> dict[str, Json]:
    return {
        "ending": {"kind": run.ending.kind, "detail": run.ending.detail},
        "requests": len(run.lines),
        "bought": run.bought,
        "seen": run.seen,
        "credits": dict(run.spent),
        "elapsed_s": run.elapsed_ms / 1_000,
        "findings": sorted(run.codes),
    }


def _junit(exploration: Exploration) -> str:
    results = exploration.results
    known = [it for it in results if it.is_bad and it.is_known]
    suite = ElementTree.Element(
        "testsuite",
        name="screentest explore",
        tests=str(len(results)),
        failures=str(len(exploration.bad)),
        skipped=str(len(known)),
    )
    for it in results:
        case = ElementTree.SubElement(
            suite, "testcase", classname=it.cell.place.name, name=it.cell.name
        )
        message = "; ".join(verdict.summary for verdict in it.verdicts)
        if it.is_bad and it.is_known:
            ElementTree.SubElement(case, "skipped", message=f"known: {message}")
        elif it.is_bad:
            failure = ElementTree.SubElement(case, "failure", message=message)
            failure.text = exploration.command.replace("{cell}", it.cell.name)
    return xml_document(suite)


_STYLE = """
th{font-weight:500;color:var(--soft);padding:.4rem .5rem;text-align:center;white-space:nowrap}
tbody th{text-align:left;color:var(--ink);font-family:ui-monospace,monospace;font-size:.8rem;
position:sticky;left:0;background:var(--paper)}
td{border-top:1px solid var(--line);text-align:center;padding:.3rem .4rem;min-width:2.2rem}
tbody th{border-top:1px solid var(--line)}
td.bad{background:var(--badsheet);color:var(--bad);font-weight:700}
td.RECOVERED{color:var(--good)}td.REPORTED{color:var(--soft)}td.GAVE_UP{color:var(--open)}
td.known{background:none;font-weight:400;color:var(--soft)}
ul.legend{list-style:none;padding:0;margin:1rem 0 0;color:var(--soft);font-size:.9rem;
columns:22rem 2}
ul.legend b{display:inline-block;width:1.5rem;color:var(--ink)}
article ol{list-style:none;margin:.6rem 0;padding:0;font-size:.9rem}
article li{display:grid;grid-template-columns:5.5rem minmax(10rem,20rem) 1fr;gap:.75rem;
border-top:1px solid var(--line);padding:.25rem 0}
li span:first-child{color:var(--soft);text-align:right;font-variant-numeric:tabular-nums}
@media(max-width:36rem){article li{display:block}li span:first-child{display:block;text-align:left}}
"""


def _html(exploration: Exploration) -> str:
    plain = exploration.plain
    under = (
        f"{summary(exploration)} · undisturbed: {len(plain.lines)} requests, "
        f"{cost_text(plain.spent)}, {plain.elapsed_ms / 1_000:g} s of the world's time"
    )
    body = f"{_grid(exploration)}{_legend(exploration)}{_articles(exploration)}"
    return html_page("How the client breaks", under, body, _STYLE)


def _grid(exploration: Exploration) -> str:
    columns, rows = table(exploration)
    ways = {it.name: it.summary for result in exploration.results for _, it in result.cell.parts}
    head = "".join(f'<th title="{escape(ways[name])}">{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(_cell(cells.get(it)) for it in columns)}</tr>"
        for label, cells in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(result: Result | None) -> str:
    if result is None:
        return "<td></td>"
    first = result.verdicts[0]
    css = " ".join([first.name, *["bad"] * first.is_bad, *["known"] * result.is_known])
    title = escape(f"{result.cell.summary}: {'; '.join(it.summary for it in result.verdicts)}")
    return f'<td class="{css}" title="{title}">{first.mark}</td>'


def _legend(exploration: Exploration) -> str:
    met = {it for result in exploration.results for it in result.verdicts}
    items = "".join(f"<li><b>{it.mark}</b>{escape(it.summary)}</li>" for it in Verdict if it in met)
    return f'<ul class="legend">{items}</ul>'


def _articles(exploration: Exploration) -> str:
    found = stories(exploration)
    return f"<h2>What went wrong</h2>{''.join(map(_article, found))}" if found else ""


def _article(story: Story) -> str:
    steps = "".join(
        f"<li><span>{it.at_s:.1f} s</span><code>{escape(it.call)}</code>"
        f"<span>{escape(it.outcome)}{f' ×{it.times}' if it.times > 1 else ''}</span></li>"
        for it in story.steps
    )
    others = escape(", ".join(story.others))
    return (
        f"<article><h3>{story.verdict.mark} {escape(story.verdict.summary)}</h3>"
        f"<p>{escape(story.result.cell.summary)}</p><ol>{steps}</ol>"
        f"<p>{escape(story.ending)}</p>"
        + (f"<p><b>Fix:</b> {escape(story.fix)}</p>" if story.fix else "")
        + (f"<p><code>screentest explain {story.code}</code></p>" if story.code else "")
        + (f'<p class="soft">The same at {others}</p>' if others else "")
        + f"<p><code>{escape(story.command)}</code></p></article>"
    )
