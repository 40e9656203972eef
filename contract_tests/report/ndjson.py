"""The result of a verification as JSON Lines: the run, its rules, findings, clauses, scenarios."""

from __future__ import annotations

import json
from collections.abc import Iterator

from screentest.specs.json_types import Json

from ..scenarios.unjudged import unjudged
from ..scenarios.verify import Result
from ..traces.trace import curl


def ndjson_report(result: Result) -> str:
    """The lines, each with a `type`."""
    return "".join(json.dumps(line) + "\n" for line in _lines(result))


def _lines(result: Result) -> Iterator[Json]:
    counts = {verdict.value: count for verdict, count in result.judge.counts().items()}
    yield {
        "type": "run",
        "provider": result.contract.provider,
        "target": result.target,
        "seed": result.seed,
        "seconds": round(result.seconds, 3),
        "requests": result.requests,
        "credits": result.spent,
        "credits_pending": result.pending,
        "out_of_budget": result.is_out_of_budget,
        "ended_early": result.ending,
        "not_before": result.not_before,
        "rules": counts,
    }
    yield from _rules(result)
    for finding in result.judge.findings:
        yield {
            "type": "finding",
            "rule": finding.rule.id,
            "source": finding.rule.source,
            "summary": finding.summary,
            "scenario": finding.scenario,
            "exchanges": [
                {"number": it.number, "actor": it.actor, "line": it.line, "curl": curl(it)}
                for it in finding.exchanges
            ],
        }
    not_judged = {it.id for it in result.clauses_not_judged}
    for clause in result.checks.clauses.values():
        yield {
            "type": "clause",
            "id": clause.id,
            "says": clause.says,
            "binds": clause.binds,
            "because": clause.because,
            "judged": clause.binds == "server" and clause.id not in not_judged,
        }
    for ran in result.ran:
        yield {
            "type": "scenario",
            "name": ran.scenario.name,
            "summary": ran.scenario.summary,
            "requests": len(ran.trace.exchanges),
            "seconds": round(ran.seconds, 4),
            "unable": ran.unable,
            "lacks": sorted(ran.lacks),
        }
    for it in result.skipped:
        lacks = sorted(it.lacks)
        yield {"type": "skipped", "name": it.scenario.name, "why": it.why, "lacks": lacks}


def _rules(result: Result) -> Iterator[Json]:
    """The rules with their verdicts, the readings that are followed, and the differences."""
    reasons = {it.rule.id: it for it in unjudged(result)}
    for rule in result.judge.rules.values():
        yield {
            "type": "rule",
            "id": rule.id,
            "family": rule.family,
            "summary": rule.summary,
            "source": rule.source,
            "clauses": list(rule.clauses),
            "verdict": result.judge.verdict(rule.id).value,
            "kept": result.judge.kept[rule.id],
            "broken": result.judge.broken[rule.id],
            "why": reasons[rule.id].why if rule.id in reasons else "",
            "remedy": reasons[rule.id].remedy if rule.id in reasons else "",
        }
    for followed in result.readings:
        yield {
            "type": "reading",
            "name": followed.name,
            "value": followed.value,
            "instead_of": followed.instead_of,
            "rules": list(followed.rules),
        }
    for finding in result.judge.differs.values():
        yield {
            "type": "difference",
            "rule": finding.rule.id,
            "summary": finding.summary,
            "scenario": finding.scenario,
        }
