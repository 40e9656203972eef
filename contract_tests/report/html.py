"""The result of a verification as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from screentest.specs.html_page import html_page

from ..rules.contract_rules import FAMILIES
from ..rules.judge import Broken, Rule, RuleFinding, RuleVerdict
from ..scenarios.unjudged import by_remedy, unjudged
from ..scenarios.verify import Result
from ..traces.trace import Exchange, curl

_BODY_SHOWN_MAX = 2_000
_MARKS = {RuleVerdict.KEPT: "✓", RuleVerdict.BROKEN: "✗"}
_STYLE = """
p.under+p{margin:0 0 1rem}
.sum.none b{color:var(--soft)!important}
.kept b,.kept td:first-child{color:var(--good)}.broken b,.broken td:first-child{color:var(--bad)}
.open b,.open td:first-child{color:var(--open)}
article>details{border-top:1px solid var(--line);padding-top:.5rem;color:var(--soft)}
.rule{color:var(--soft);font-family:ui-monospace,monospace;font-size:.85rem}
ol.seq{list-style:none;margin:.8rem 0 0;padding:0;font-size:.9rem}
ol.seq li{border-top:1px solid var(--line);padding:.5rem 0}
ol.seq code{overflow-wrap:anywhere}
.who{display:inline-block;min-width:6.5rem;color:var(--soft)}
pre{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.82rem;
background:var(--sheet);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;
overflow:auto;margin:.4rem 0 0;white-space:pre-wrap;word-break:break-word;max-height:18rem}
summary{cursor:pointer}details>summary{padding:.15rem 0}
td,th{border-top:1px solid var(--line);padding:.3rem .6rem .3rem 0;text-align:left;
vertical-align:top}
td:first-child{width:1.4rem;text-align:center}td.src{color:var(--soft);white-space:nowrap}
td code{word-break:break-word}
summary.family{display:flex;gap:.75rem;align-items:center;padding:.25rem 0}
summary.family::before{content:"▸";color:var(--soft);width:.7rem}
details[open]>summary.family::before{content:"▾"}
summary.family strong{flex:0 0 13rem}
.bar{display:flex;flex:0 1 10rem;height:8px;border-radius:4px;overflow:hidden;
background:var(--line)}
.bar i{display:block;height:100%}.bar .k{background:var(--good)}.bar .b{background:var(--bad)}
.num{text-align:right;font-variant-numeric:tabular-nums}
@media(max-width:36rem){.who{display:block}
summary.family{flex-wrap:wrap;gap:.1rem .75rem}summary.family strong{flex:1 0 80%}
.sum{padding:.5rem .7rem}tr{display:grid;grid-template-columns:1.4rem 1fr auto;column-gap:.5rem;
border-top:1px solid var(--line);padding:.3rem 0}td{border:0;padding:0}td.num{display:none}
td:nth-child(3){grid-area:2/2}td.src{grid-area:1/3}}
"""


def html_report(result: Result) -> str:
    """The whole page as text."""
    counts = result.judge.counts()
    under = (
        f"{result.target} · seed {result.seed} · {len(result.ran)} scenarios · "
        f"{result.requests} requests · {result.bill} · {result.seconds:.2f} s"
    )
    sums = "".join(
        f'<div class="sum {css if counts[verdict] else "none"}"><b>{counts[verdict]}</b>'
        f"<span>{verdict.value}</span></div>"
        for verdict, css in (
            (RuleVerdict.KEPT, "kept"),
            (RuleVerdict.BROKEN, "broken"),
            (RuleVerdict.DIFFERS, "open"),
            (RuleVerdict.NOT_JUDGED, "open"),
        )
    )
    body = (
        f"<p>{_verdict(counts)}, {escape(result.coverage)}.{_ending(result)}</p>"
        f'<div class="sums">{sums}</div>'
        f"{_findings(result)}{_differing(result)}{_families(result)}{_unjudged(result)}{_clauses(result)}{_skipped(result)}"
    )
    title = f"{result.contract.behaviour.name}: contract report"
    return html_page(title, under, body, _STYLE)


def _verdict(counts: Mapping[RuleVerdict, int]) -> str:
    broken = counts[RuleVerdict.BROKEN]
    if broken:
        return f"{broken} {'rule is' if broken == 1 else 'rules are'} broken"
    return "Nothing is broken"


def _ending(result: Result) -> str:
    return f" The run ended early: {escape(result.ending)}." if result.ending else ""


def _findings(result: Result) -> str:
    """One article for each broken rule, however often it was broken."""
    articles = "".join(map(_article, result.judge.broken_rules))
    return f"<h2>Broken</h2>{articles}" if articles else ""


def _differing(result: Result) -> str:
    """The readings that the server follows, and the rules that no clause decides."""
    rows = [
        (it.says, f"{it.name}={it.value}", f"instead of {it.instead_of}") for it in result.readings
    ]
    rows += [(it.rule.summary, it.rule.id, it.summary) for it in result.judge.differs.values()]
    return _table("Where the document is silent", rows)


def _unjudged(result: Result) -> str:
    """Every rule that was not judged, with the reason."""
    groups = by_remedy(unjudged(result)).values()
    rows = [
        (it.rule.summary, it.rule.id, f"{it.why}; judged with {it.remedy}" if it.remedy else it.why)
        for group in groups
        for it in group
    ]
    return _table("Rules that were not judged", rows)


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> str:
    """A heading and three columns: a sentence, an id, a remark. Empty without rows."""
    cells = "".join(
        f'<tr class="open"><td>–</td><td>{escape(says)}</td><td><code>{escape(id_)}</code></td>'
        f"<td>{escape(why)}</td></tr>"
        for says, id_, why in rows
    )
    return f"<h2>{title}</h2><table>{cells}</table>" if rows else ""


def _article(broken: Broken) -> str:
    first, *others = broken.findings
    rule = broken.rule
    source = f" · {escape(rule.source)}" if rule.source else ""
    more = "".join(f"<p>{escape(it.summary)}</p>{_sequence(it)}" for it in others)
    if more:
        detail = f"broken {broken.times} times; {len(others)} more of them"
        more = f"<details><summary>{detail}</summary>{more}</details>"
    return (
        f"<article><h3>{escape(rule.summary)}</h3><p>{escape(first.summary)}</p>"
        f'<p class="rule">{escape(rule.id)}{source}</p>{_sequence(first)}{more}</article>'
    )


def _sequence(finding: RuleFinding) -> str:
    """The messages that led to a finding, in order."""
    scenario = f'<p class="rule">while: {escape(finding.scenario)}</p>' if finding.scenario else ""
    messages = "".join(_exchange(it) for it in finding.exchanges)
    return f'{scenario}<ol class="seq">{messages}</ol>'


def _exchange(exchange: Exchange) -> str:
    body = exchange.body.decode("utf-8", "replace")
    shown = body[:_BODY_SHOWN_MAX] + ("…" if len(body) > _BODY_SHOWN_MAX else "")
    return (
        f'<li><span class="who">{exchange.number} · {escape(exchange.actor)}</span>'
        f"<code>{escape(exchange.line)}</code><details><summary>Request and answer</summary>"
        f"<pre>{escape(curl(exchange))}</pre><pre>{escape(shown) or '(no body)'}</pre>"
        "</details></li>"
    )


def _families(result: Result) -> str:
    parts = ["<h2>Rules</h2>"]
    for family, detail in FAMILIES.items():
        rules = [it for it in result.judge.rules.values() if it.family == family]
        if not rules:
            continue
        kept = sum(1 for it in rules if result.judge.verdict(it.id) is RuleVerdict.KEPT)
        broken = sum(1 for it in rules if result.judge.verdict(it.id) is RuleVerdict.BROKEN)
        rows = "".join(_row(result, it) for it in rules)
        is_open = " open" if broken else ""
        parts.append(
            f'<details{is_open}><summary class="family">'
            f"<strong>{escape(detail.capitalize())}</strong>{_bar(kept, broken, len(rules))}"
            f"<span>{kept} of {len(rules)} kept{f', {broken} broken' if broken else ''}</span>"
            f"</summary><table>{rows}</table></details>"
        )
    return "".join(parts)


def _bar(kept: int, broken: int, of: int) -> str:
    shares = (("k", 100 * kept / of), ("b", 100 * broken / of))
    pieces = "".join(f'<i class="{css}" style="width:{share:.0f}%"></i>' for css, share in shares)
    return f'<span class="bar">{pieces}</span>'


def _row(result: Result, rule: Rule) -> str:
    verdict = result.judge.verdict(rule.id)
    css = {RuleVerdict.KEPT: "kept", RuleVerdict.BROKEN: "broken"}.get(verdict, "open")
    times = result.judge.kept[rule.id] + result.judge.broken[rule.id]
    return (
        f'<tr class="{css}"><td title="{verdict.value}">{_MARKS.get(verdict, "–")}</td>'
        f"<td>{escape(rule.summary)}</td><td><code>{escape(rule.id)}</code></td>"
        f'<td class="src">{escape(rule.source)}</td><td class="num">{times}×</td></tr>'
    )


def _clauses(result: Result) -> str:
    """The clauses that have no verdict, and why."""
    rows = [(it.says, it.id, "not judged") for it in result.clauses_not_judged]
    others = result.clauses_of_others
    rows += [(it.says, it.id, f"binds the {it.binds}: {it.because}") for it in others]
    return _table("Clauses without a verdict", rows)


def _skipped(result: Result) -> str:
    rows = [(it.scenario.summary, it.scenario.name, it.why) for it in result.skipped]
    unable = [it for it in result.ran if it.unable]
    rows += [(it.scenario.summary, it.scenario.name, it.unable) for it in unable]
    return _table("Not run", rows)
