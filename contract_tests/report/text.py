"""The result of a verification as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from ..rules.contract_rules import FAMILIES
from ..rules.judge import Broken, RuleVerdict
from ..scenarios.unjudged import by_remedy, unjudged
from ..scenarios.verify import Result
from ..traces.trace import curl


def text_report(result: Result, base_url: str = "$BASE_URL") -> Iterator[str]:
    """The lines: families, broken rules, what was not judged, and a summary as the last one."""
    yield f"{result.contract.provider}  {result.target}  seed {result.seed}"
    yield ""
    for family, detail in FAMILIES.items():
        rules = [it for it in result.judge.rules.values() if it.family == family]
        if rules:
            counts = [
                sum(1 for it in rules if result.judge.verdict(it.id) is verdict)
                for verdict in RuleVerdict
            ]
            kept, broken, differing, open_ = counts
            extra = f"  {broken} BROKEN" if broken else ""
            extra += f"  {differing} differ" if differing else ""
            extra += f"  {open_} not judged" if open_ else ""
            yield f"  {family}  {detail:<26} {kept:>4} kept{extra}"
    yield ""
    for broken_rule in result.judge.broken_rules:
        yield from broken_lines(broken_rule, base_url)
    yield from _differing(result)
    yield from _unjudged(result)
    yield from _clauses(result)
    if result.not_before:
        count = sum(1 for it in result.ran if it.not_before)
        yield f"  To be continued ({count}): with --resume, not before {result.not_before}"
        yield ""
    if result.ending:
        yield f"  Ended early: {result.ending}"
        yield ""
    counts_of = result.judge.counts()
    yield (
        f"{counts_of[RuleVerdict.KEPT]} kept, {counts_of[RuleVerdict.BROKEN]} broken, "
        f"{_differ(counts_of[RuleVerdict.DIFFERS])}"
        f"{counts_of[RuleVerdict.NOT_JUDGED]} not judged ({result.coverage}); "
        f"{len(result.ran)} scenarios, {result.requests} requests, {result.bill}, "
        f"{result.seconds:.2f} s"
    )


def _differ(count: int) -> str:
    return f"{count} {'differs' if count == 1 else 'differ'}, " if count else ""


def broken_lines(broken: Broken, base_url: str = "$BASE_URL") -> Iterator[str]:
    """One broken rule: its first finding, a curl command that repeats it, and other findings."""
    source = f" ({broken.rule.source})" if broken.rule.source else ""
    times = f", {broken.times} times" if broken.times > 1 else ""
    yield f"  BROKEN {broken.rule.id}{source}{times}"
    yield f"         {broken.rule.summary}"
    first, *others = broken.findings
    yield f"         {first.summary}"
    for exchange in first.exchanges:
        yield f"         {exchange.number:>4}  {exchange.actor:<10} {exchange.line}"
    for exchange in first.exchanges[-1:]:
        yield f"         {curl(exchange, base_url)}"
    if first.scenario:
        yield f"         in: {first.scenario}"
    said = {(first.summary, first.scenario)}
    for other in others:
        if (other.summary, other.scenario) not in said:
            said.add((other.summary, other.scenario))
            scenario = f" (in: {other.scenario})" if other.scenario else ""
            yield f"         also: {other.summary}{scenario}"
    yield ""


def _differing(result: Result) -> Iterator[str]:
    """The rules that the server keeps by another reading only, and those readings."""
    if result.readings:
        yield f"  Readings that the server follows ({len(result.readings)}):"
        for it in result.readings:
            yield f"         {it.name}={it.value} (instead of {it.instead_of})"
            yield f"            {it.says}"
        yield ""
    rules = result.rules(RuleVerdict.DIFFERS)
    if rules:
        yield f"  Differs from the chosen reading, where no clause decides ({len(rules)}):"
        for rule in rules:
            yield f"         {rule.id}: {result.judge.differs[rule.id].summary}"
        yield ""


def _unjudged(result: Result) -> Iterator[str]:
    """Every rule that was not judged, by what would let it be judged."""
    found = unjudged(result)
    if not found:
        return
    yield f"  Not judged ({len(found)}):"
    for remedy, group in by_remedy(found).items():
        rules = "rule" if len(group) == 1 else "rules"
        yield f"         +{len(group)} {rules} with {remedy}" if remedy else "         others"
        for why in dict.fromkeys(it.why for it in group):
            ids = " ".join(it.rule.id for it in group if it.why == why)
            if not remedy or not why.endswith(remedy):
                yield f"           {why}:"
            yield from wrap(ids, 100, initial_indent=" " * 13, subsequent_indent=" " * 13)
    yield ""


def _clauses(result: Result) -> Iterator[str]:
    """The clauses that have no verdict, and why."""
    open_clauses, others = result.clauses_not_judged, result.clauses_of_others
    if open_clauses:
        yield f"  Clauses not judged ({len(open_clauses)}):"
        for clause in open_clauses:
            yield f"         {clause.id}  {clause.says}"
        yield ""
    if others:
        yield f"  Clauses that bind clients or readers ({len(others)}):"
        for clause in others:
            yield f"         {clause.id}  {clause.says} ({clause.binds}: {clause.because})"
        yield ""
