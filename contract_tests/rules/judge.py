"""Rules and verdicts. A rule without a verdict is reported as not judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from ..traces.trace import Exchange
from .rule_ids import RuleId

#: The id of a clause, such as `OZ-117`; interpretations and parts of a contract have other ids.
_CLAUSE = re.compile(r"[A-Z]+-\d+[a-z]?")
#: Findings kept per rule: a broken rule is usually broken many times in the same way.
_FINDINGS_MAX = 3


class UnknownRuleError(Exception):
    """A scenario or a monitor judged a rule that the contract does not have."""


#: The family of rules about rates and concurrency.
_RATES = "RTL"


@dataclass(frozen=True, slots=True)
class Silence:
    """What a document does not say: the *clauses* that are inferred, and the *operations*.

    The document does not have the names of *unnamed* operations, so it does not say which window of
    rates counts their calls. *worded* keeps whether a clause describes the answers of an operation
    with a status.
    """

    clauses: frozenset[str]
    operations: frozenset[str]
    unnamed: frozenset[str] = frozenset()
    worded: dict[tuple[str, int], bool] = field(default_factory=dict[tuple[str, int], bool])

    def covers(self, rule: Rule, exchanges: tuple[Exchange, ...]) -> bool:
        """Whether no sentence of the document demands *rule* of the last of *exchanges*."""
        if not has_clause(it for it in rule.clauses if it not in self.clauses):
            return True
        silent = self.operations | (self.unnamed if rule.family == _RATES else frozenset())
        return bool(exchanges) and exchanges[-1].operation in silent


class RuleVerdict(Enum):
    """What is known of a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    DIFFERS = "differs from the reading"
    NOT_JUDGED = "not judged"


class Rule(Struct, frozen=True):
    """One thing that a server must do. *clauses* are the ids of the clauses that require it."""

    id: RuleId
    family: str
    summary: str
    clauses: tuple[str, ...]

    @property
    def source(self) -> str:
        """The first clause; empty where the rule has no clause."""
        return self.clauses[0] if self.clauses else ""


def has_clause(ids: Iterable[str]) -> bool:
    """Whether one of *ids* is that of a clause."""
    return any(_CLAUSE.fullmatch(it) for it in ids)


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A broken rule: what was seen, in which exchanges, during which scenario."""

    rule: Rule
    summary: str
    exchanges: tuple[Exchange, ...]
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken rule, *times* over, with the first findings about it; there is at least one."""

    rule: Rule
    times: int
    findings: tuple[RuleFinding, ...]

    @property
    def detail(self) -> str:
        """What was seen first."""
        return self.findings[0].summary


@dataclass(slots=True)
class Judge:
    """Collects verdicts on the rules of one contract.

    At a foreign server, a rule breaks only by what the document says. In its *silence* the server
    may follow another reading; then the rule *differs*. There is none at our own mock. While it
    *is_late*, because a scenario was interrupted for long, no rule breaks.
    """

    rules: dict[str, Rule]
    kept: Counter[str] = field(default_factory=Counter[str])
    broken: Counter[str] = field(default_factory=Counter[str])
    findings: list[RuleFinding] = field(default_factory=list[RuleFinding])
    differs: dict[str, RuleFinding] = field(default_factory=dict[str, RuleFinding])
    judged_in: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    wrong_in: set[str] = field(default_factory=set[str])
    scenario: str = ""
    silence: Silence | None = None
    is_late: bool = False

    def add(self, rules: Mapping[str, Rule]) -> None:
        """Add rules, such as those that only a fuzzer judges."""
        self.rules.update(rules)

    def has(self, rule_id: RuleId) -> bool:
        """Whether this contract has a rule."""
        return rule_id in self.rules

    def check(
        self,
        rule_id: RuleId,
        detail: str,
        *exchanges: Exchange,
        holds: bool,
        is_documented: bool = True,
    ) -> bool:
        """Note that a rule was tested; *detail* says what is wrong when it does not hold.

        *is_documented* says that a clause demands it. Returns *holds*.

        Raises:
            UnknownRuleError: this contract does not have the rule.
        """
        rule = self.rules.get(rule_id)
        if rule is None:
            raise UnknownRuleError(f"this contract has no rule {rule_id!r}")
        self.judged_in.setdefault(rule_id, set()).add(self.scenario)
        if holds:
            self.kept[rule_id] += 1
            return True
        if self.is_late:
            return False
        self.wrong_in.add(self.scenario)
        silence = self.silence
        if silence is not None and (not is_documented or silence.covers(rule, exchanges)):
            self.differs.setdefault(rule_id, RuleFinding(rule, detail, exchanges, self.scenario))
            return False
        self.broken[rule_id] += 1
        if self.broken[rule_id] <= _FINDINGS_MAX:
            self.findings.append(RuleFinding(rule, detail, exchanges, self.scenario))
        return False

    def check_optional(
        self, rule_id: RuleId, detail: str, *exchanges: Exchange, holds: bool
    ) -> bool:
        """As `check`, but does nothing if the contract does not have the rule."""
        if not self.has(rule_id):
            return holds
        return self.check(rule_id, detail, *exchanges, holds=holds)

    def verdict(self, rule_id: str) -> RuleVerdict:
        if self.broken[rule_id]:
            return RuleVerdict.BROKEN
        if rule_id in self.differs:
            return RuleVerdict.DIFFERS
        return RuleVerdict.KEPT if self.kept[rule_id] else RuleVerdict.NOT_JUDGED

    @property
    def not_judged(self) -> list[Rule]:
        return [
            rule for rule in self.rules.values() if self.verdict(rule.id) is RuleVerdict.NOT_JUDGED
        ]

    @property
    def broken_rules(self) -> list[Broken]:
        """Each broken rule once, in the order in which they were found broken."""
        found: dict[str, list[RuleFinding]] = {}
        for finding in self.findings:
            found.setdefault(finding.rule.id, []).append(finding)
        return [
            Broken(findings[0].rule, self.broken[rule_id], tuple(findings))
            for rule_id, findings in found.items()
        ]

    def counts(self) -> dict[RuleVerdict, int]:
        """How many rules have each verdict."""
        found = Counter(self.verdict(rule_id) for rule_id in self.rules)
        return {verdict: found[verdict] for verdict in RuleVerdict}


def by_id(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The rules by their ids, which must be unique."""
    found: dict[str, Rule] = {}
    for rule in rules:
        assert rule.id not in found, rule.id
        found[rule.id] = rule
    return found
