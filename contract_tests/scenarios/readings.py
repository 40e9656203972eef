"""Which readings a server follows where its provider's document is silent.

A rule that breaks may rest on a reading. So each scenario with a finding is judged once more, from
the answers that are there, under every other reading. A reading under which fewer rules break, and
no other one does, is the one that the server follows. Nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..sessions.session import Before, Session
from ..targets.guard import Guarded
from ..targets.needs import UnableError
from ..targets.replayed import Answer, Replayed
from ..targets.target import OutgoingRequest, Target
from ..traces.trace import Raw
from .scenario import Scenario
from .verify import Followed, Result, scenarios_of

#: More readings than these have never been found at one server; each takes a round of judging.
_ROUNDS_MAX = 12


@dataclass(frozen=True, slots=True)
class Memory:
    """What one scenario was answered, and what the session had before it."""

    scenario: str
    answers: tuple[Answer, ...]
    before: Before


@dataclass(slots=True)
class Finder:
    """Judges *memories* of a server again. *fixed* are the readings that the user chose."""

    result: Result
    target: Target
    fixed: Mapping[str, str]
    _judged: dict[tuple[int, str], Judge]

    def under(self, contract: Contract, memories: list[Memory], name: str) -> Iterator[Judge]:
        """A judge for each memory, under the readings of *contract*, which *name* tells apart."""
        for number, memory in enumerate(memories):
            key = (number, name)
            if key not in self._judged:
                self._judged[key] = self._again(contract, memory)
            yield self._judged[key]

    def _again(self, contract: Contract, memory: Memory) -> Judge:
        checks = load_checks(contract)
        judge = Judge(rules_of(contract, checks), is_foreign=True)
        target = Replayed(self.target, memory.answers)
        session = Session(
            target, contract, checks, judge, is_open=True, run_id=memory.before.run_id
        )
        session.resume(memory.before)
        judge.scenario = memory.scenario
        scenario = next(
            (it for it in scenarios_of(contract, checks) if it.name == memory.scenario), None
        )
        session.is_hasty = scenario is not None and scenario.is_hasty
        if scenario is not None:
            with suppress(UnableError):
                scenario.run(session)
        return judge


def find_readings(
    result: Result, target: Target, memories: list[Memory], fixed: Mapping[str, str]
) -> None:
    """Take from *result* what another reading explains, and note those readings in it."""
    if not result.judge.findings:
        return
    finder = Finder(result, target, fixed, {})
    broken_in = {it.scenario for it in result.judge.findings}
    memories = [it for it in memories if it.scenario in broken_in]
    chosen = dict(fixed)
    # The chosen readings themselves: only what breaks again can be explained.
    first = best = _broken(finder.under(result.contract, memories, ""))
    for _ in range(_ROUNDS_MAX):
        found = _better(finder, memories, chosen, best)
        if found is None:
            break
        name, value, broken = found
        gone = tuple(sorted(it for it in best if broken[it] < best[it]))
        switch = result.contract.behaviour.interpretations[name.partition(".")[2]]
        instead_of = chosen.get(name, switch.default)
        says = switch.alternatives.get(value, f"The default: {value}.")
        result.readings.append(
            Followed(name, value, instead_of, says, gone, is_asked=name in fixed)
        )
        chosen[name], best = value, broken
    if result.readings:
        last = list(finder.under(result.contract.under(chosen), memories, _name(chosen)))
        _explain(result, first, best, last)


def _better(
    finder: Finder, memories: list[Memory], chosen: Mapping[str, str], best: Counter[str]
) -> tuple[str, str, Counter[str]] | None:
    """The reading under which the fewest rules break, if fewer than in *best*."""
    contract, found = finder.result.contract, None
    for switch in contract.behaviour.interpretations.values():
        name = f"{contract.provider}.{switch.name}"
        here = chosen.get(name, switch.default)
        for value in sorted(switch.patched | {switch.default} - {here}):
            if value == here or not switch.patched:
                continue
            choices = {**chosen, name: value}
            try:
                other = contract.under(choices)
                judges = list(finder.under(other, memories, _name(choices)))
            except ContractError:
                continue  # readings that contradict each other
            broken = _broken(judges)
            # A rule that was not judged again is not explained.
            for rule_id in best.keys() - broken.keys():
                if not any(it.kept[rule_id] for it in judges):
                    broken[rule_id] = best[rule_id]
            if any(broken[it] > best[it] for it in broken):
                continue
            least = best if found is None else found[2]
            if broken.total() < least.total():
                found = name, value, broken
    return found


def _name(choices: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(choices.items()))


def _broken(judges: Iterable[Judge]) -> Counter[str]:
    found: Counter[str] = Counter()
    for judge in judges:
        found += judge.broken
    return found


def _explain(result: Result, first: Counter[str], best: Counter[str], judges: list[Judge]) -> None:
    """Take what is explained from the judge of *result*."""
    judge = result.judge
    for rule_id in [it for it in first if not best[it]]:
        findings = [it for it in judge.findings if it.rule.id == rule_id]
        judge.findings = [it for it in judge.findings if it.rule.id != rule_id]
        del judge.broken[rule_id]
        if any(it.is_asked and rule_id in it.rules for it in result.readings) and findings:
            judge.differs.setdefault(rule_id, findings[0])
        else:
            judge.kept[rule_id] += 1
    for rule_id in [it for it in first if best[it] and best[it] < first[it]]:
        left = [it for one in judges for it in one.findings if it.rule.id == rule_id]
        others = [it for it in judge.findings if it.rule.id != rule_id]
        judge.findings = [*others, *left]
        judge.broken[rule_id] = best[rule_id]


class Memories:
    """Collects what each scenario of a run at *target* is answered."""

    def __init__(self, target: Guarded) -> None:
        self._target = target
        self._begun: list[tuple[str, Before, list[Answer]]] = []
        target.on_answer = self._add

    def begin(self, scenario: Scenario, session: Session) -> None:
        """The next answers are those of *scenario*."""
        self._begun.append((scenario.name, session.before, []))

    def _add(self, wire: OutgoingRequest | str, raw: Raw) -> None:
        if self._begun:
            self._begun[-1][2].append((wire, raw))

    def find(self, result: Result, fixed: Mapping[str, str]) -> None:
        """Note in *result* which readings the server follows."""
        memories = [Memory(name, tuple(it), before) for name, before, it in self._begun]
        find_readings(result, self._target, memories, fixed)
