"""The verdict of a run: what was called, met and found, its time, and its costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from xml.etree import ElementTree

from screentest.specs.html_page import html_page
from screentest.specs.json_types import Json
from screentest.specs.xml_text import xml_document

from ..findings.explanations import explanations
from .cost_report import cost_text, price_table

_PLACES_MAX = 5
_STYLE = """
th{font-weight:500;color:var(--soft);padding:.45rem .8rem;text-align:left;white-space:nowrap}
td{border-top:1px solid var(--line);padding:.35rem .8rem;vertical-align:top}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums}
td code{white-space:nowrap}
.chip{display:inline-block;border-radius:1rem;padding:0 .55rem;margin:.1rem .3rem .1rem 0;
background:var(--sheet);border:1px solid var(--line);font-size:.8rem;white-space:nowrap}
.chip.never{color:var(--soft);border-style:dashed;background:none}
.chip.bad{color:var(--bad)}
article.warning{border-left-color:var(--open)}
article ul{margin:.4rem 0 0;padding-left:1.1rem}
.bar{height:8px;border-radius:4px;background:var(--line);min-width:7rem;overflow:hidden}
.bar i{display:block;height:100%;background:var(--good)}
"""


def verdict_of(counts: Mapping[str, Json], title: str, result: str, real_s: float) -> Json:
    """The verdict of a run with the *counts* of `Tally.reports`. *result* says how it ended."""
    calls: dict[tuple[str, str], dict[str, int]] = {}
    for key, count in counts["met"].items():
        provider, subject, outcome = key.split(" ", 2)
        calls.setdefault((provider, subject), {})[outcome] = count
    spent = {name: amount for name, amount in counts["spent"].items() if amount}
    held = {name: amount for name, amount in counts["held"].items() if amount}
    cost = {name: spent.get(name, 0) + held.get(name, 0) for name in sorted({*spent, *held})}
    return {
        "title": title,
        "result": result,
        "real_s": round(real_s, 3),
        "world_s": counts["world_s"],
        "worlds": counts["worlds"],
        "requests": sum(
            count
            for (_, subject), outcomes in calls.items()
            for outcome, count in outcomes.items()
            if outcome.isdecimal() and "." not in subject
        ),
        "cost": cost_text(cost),
        "credits": {
            name: {
                "spent": spent.get(name, 0),
                "held": held.get(name, 0),
                "text": cost_text({name: amount}),
            }
            for name, amount in cost.items()
        },
        "prices_read": price_table()["read"],
        "calls": [
            {"provider": provider, "subject": subject, "outcomes": outcomes}
            for (provider, subject), outcomes in sorted(calls.items())
        ],
        "findings": [
            {"code": code, "title": explanations()[code].title, **it}
            for code, it in sorted(counts["found"].items(), key=_rank)
        ],
        "outcomes": counts["outcomes"],
    }


def _rank(found: tuple[str, Json]) -> tuple[bool, str]:
    return found[1]["severity"] != "error", found[0]


def write_verdict(kind: str, verdict: Json) -> str:
    """The text of the report of *kind*: html, junit or json."""
    if kind == "json":
        return json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    return _junit(verdict) if kind == "junit" else _html(verdict)


def _junit(verdict: Json) -> str:
    """A case for each code that was found; a warning is a case that is skipped."""
    found = verdict["findings"]
    errors = sum(it["severity"] == "error" for it in found)
    suite = ElementTree.Element(
        "testsuite",
        name=f"screentest {verdict['title']}",
        tests=str(len(found)),
        failures=str(errors),
        skipped=str(len(found) - errors),
        time=str(verdict["real_s"]),
    )
    for it in found:
        case = ElementTree.SubElement(suite, "testcase", classname="findings", name=it["code"])
        example = it["example"]
        message = f"{it['count']} ×: expected {example['expected']}, got {example['actual']}"
        element = "failure" if it["severity"] == "error" else "skipped"
        detail = ElementTree.SubElement(case, element, message=message)
        detail.text = "\n".join([f"fix: {example['fix']}", *it["places"]])
    return xml_document(suite)


def _html(verdict: Json) -> str:
    found = verdict["findings"]
    errors = sum(it["count"] for it in found if it["severity"] == "error")
    warnings = sum(it["count"] for it in found) - errors
    credits = sum(it["spent"] + it["held"] for it in verdict["credits"].values())
    money = verdict["cost"].partition("(")[2].rstrip(")")
    sums = (
        (str(verdict["requests"]), "requests"),
        (str(errors), "errors"),
        (str(warnings), "warnings"),
        (_duration(verdict["world_s"]), "at the real providers"),
        (_duration(verdict["real_s"]), "here"),
        (str(credits), f"credits{f', {money}' if money else ''}"),
    )
    cards = "".join(
        f'<div class="sum"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in sums
    )
    body = (
        f'<div class="sums">{cards}</div>{"".join(_findings(verdict))}'
        f"{''.join(_calls(verdict))}{''.join(_costs(verdict))}"
    )
    under = f"{verdict['title']} · {verdict['result']}"
    return html_page("What the client did", under, body, _STYLE)


def _findings(verdict: Json) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not verdict["findings"]:
        yield "<p>No findings.</p>"
    for it in verdict["findings"]:
        example = it["example"]
        yield (
            f'<article class="{escape(it["severity"])}"><h3>{escape(it["code"])} '
            f'{escape(it["title"])} <span class="soft">×{it["count"]}</span></h3>'
            f"<p>Expected {escape(example['expected'])}.<br>Got {escape(example['actual'])}.</p>"
            f"<p><b>Fix:</b> {escape(example['fix'])}</p>"
        )
        if example["source"]:
            yield f'<p class="soft">{escape(example["source"])}</p>'
        places = sorted(it["places"].items(), key=lambda place: (-place[1], place[0]))
        if places:
            items = "".join(
                f"<li><code>{escape(name)}</code>{f' ×{n}' if n > 1 else ''}</li>"
                for name, n in places[:_PLACES_MAX]
            )
            more = len(places) - _PLACES_MAX
            yield f"<ul>{items}{f'<li>and {more} more</li>' if more > 0 else ''}</ul>"
        yield "</article>"


def _calls(verdict: Json) -> Iterator[str]:
    """What each used provider was asked, and which documented outcomes never came."""
    for provider, covered in verdict["outcomes"]["providers"].items():
        mine = [it for it in verdict["calls"] if it["provider"] == provider]
        calls = {it["subject"]: it["outcomes"] for it in mine}
        if not calls:
            continue
        met = len(covered["met"])
        percent = covered["percent"]
        yield (
            f"<h2>{escape(provider)} <span class='soft'>{met} of {covered['documented']} "
            f"documented outcomes, {percent:g} %</span></h2>"
            f'<div class="bar"><i style="width:{percent:g}%"></i></div><p></p>'
            '<div class="scroll"><table><thead><tr><th>call or event</th><th>outcomes</th>'
            "<th>never met</th></tr></thead><tbody>"
        )
        for subject in [*calls, *sorted(covered["never"].keys() - calls.keys())]:
            chips = "".join(
                _chip(f"{outcome} ×{count}", "bad" if outcome[:1] in "45" else "")
                for outcome, count in sorted(calls.get(subject, {}).items())
            )
            never = "".join(_chip(it, "never") for it in covered["never"].get(subject, ()))
            name = f"<code>{escape(subject)}</code>"
            yield f"<tr><td>{name}</td><td>{chips}</td><td>{never}</td></tr>"
        yield "</tbody></table></div>"


def _chip(text: str, css: str) -> str:
    return f'<span class="chip {css}">{escape(text)}</span>'


def _costs(verdict: Json) -> Iterator[str]:
    if not verdict["credits"]:
        return
    yield (
        "<h2>Costs</h2><div class='scroll'><table><thead><tr><th>provider</th>"
        "<th class='num'>spent</th><th class='num'>held</th><th>together</th></tr></thead><tbody>"
    )
    for name, it in verdict["credits"].items():
        yield (
            f"<tr><td><code>{escape(name)}</code></td><td class='num'>{it['spent']}</td>"
            f"<td class='num'>{it['held']}</td><td>{escape(it['text'])}</td></tr>"
        )
    yield f"</tbody></table></div><p class='soft'>Prices of {escape(verdict['prices_read'])}.</p>"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
