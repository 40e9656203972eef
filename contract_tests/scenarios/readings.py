"""Which readings a server follows where its provider's document is silent.

A rule that breaks or differs may rest on a reading. So each scenario that judged it is judged once
more, from the answers that are there, under every other reading. A reading under which fewer rules
break or differ, and no other one does, is the one that the server follows. Nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge, Rule, Silence
from ..rules.known import silence_of
from ..sessions.session import Before, Session
from ..targets.guard import Guarded
from ..targets.replayed import Answer, Replayed
from ..targets.target import OutgoingRequest, Target
from ..traces.trace import Raw
from .scenario import Scenario
from .verify import Followed, Result, run_scenario, scenarios_of

#: More readings than these have never been found at one server; each takes a round of judging.
_ROUNDS_MAX = 12


@dataclass(frozen=True, slots=True)
class Memory:
    """What one scenario was answered, and what the session had before it."""

    scenario: str
    answers: tuple[Answer, ...]
    before: Before


@dataclass(frozen=True, slots=True)
class Again:
    """The verdicts on one memory, and how many events its scenario *reached*."""

    judge: Judge
    reached: int
    is_unable: bool


@dataclass(frozen=True, slots=True)
class View:
    """What a run is judged by under some readings."""

    contract: Contract
    checks: Checks
    rules: dict[str, Rule]
    silence: Silence
    scenarios: Mapping[str, Scenario]


@dataclass(slots=True)
class Finder:
    """Judges *memories* of a run at *target* again."""

    result: Result
    target: Target
    memories: Sequence[Memory]
    _views: dict[str, View] = field(default_factory=dict[str, View])
    _judged: dict[tuple[str, str], Again] = field(default_factory=dict[tuple[str, str], Again])

    def under(self, choices: Mapping[str, str]) -> list[Again]:
        """Each memory again, under the readings of the run and *choices*.

        Raises:
            ContractError: the readings contradict each other.
        """
        return [self.again(it, choices) for it in self.memories]

    def again(self, memory: Memory, choices: Mapping[str, str]) -> Again:
        """One memory again. Raises as `under` does."""
        view, key = self.view(choices), (_name(choices), memory.scenario)
        if key not in self._judged:
            judge = Judge(view.rules, silence=view.silence)
            session = Session(
                Replayed(self.target, memory.answers),
                view.contract,
                view.checks,
                judge,
                is_open=True,
                run_id=memory.before.run_id,
            )
            session.resume(memory.before)
            scenario = view.scenarios.get(memory.scenario)
            unable = run_scenario(scenario, session).unable if scenario is not None else "gone"
            reached = len(session.trace.events)
            self._judged[key] = Again(judge, reached, is_unable=bool(unable))
        return self._judged[key]

    def view(self, choices: Mapping[str, str]) -> View:
        """What *choices* change. Raises as `under` does."""
        name = _name(choices)
        if name not in self._views:
            contract = self.result.contract.under(choices)
            checks = load_checks(contract)
            scenarios = {it.name: it for it in scenarios_of(contract, checks)}
            rules, silence = rules_of(contract, checks), silence_of(contract, checks)
            self._views[name] = View(contract, checks, rules, silence, scenarios)
        return self._views[name]


def _name(choices: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(choices.items()))


def find_readings(
    result: Result, target: Target, memories: list[Memory], fixed: Mapping[str, str]
) -> None:
    """Take from *result* what another reading explains, and note those readings in it."""
    wrong_in = result.judge.wrong_in
    if not wrong_in:
        return
    finder = Finder(result, target, [it for it in memories if it.scenario in wrong_in])
    chosen = dict(fixed)
    # The chosen readings themselves: only what breaks again can be explained.
    judged = finder.under({})
    first = best = _broken(judged, judged)
    useless: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS_MAX):
        is_whole = not useless
        found = _better(finder, chosen, best, useless)
        if found is None and is_whole:
            break
        if found is None:
            # A reading can explain something only after another one is chosen.
            useless.clear()
            continue
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
        judges = [it.judge for it in finder.under(chosen)]
        # The contract under these readings does not have every rule.
        best = Counter({it: best[it] for it in best if any(it in one.rules for one in judges)})
        _explain(result, first, best, judges)


def fitting_readings(
    result: Result, target: Target, memories: list[Memory], fixed: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The readings of each interpretation that no answer contradicts, the followed one first."""
    finder, contract = Finder(result, target, memories), result.contract
    chosen = {**fixed, **{it.name: it.value for it in result.readings}}
    before = finder.under(chosen)
    wrong, fits = _broken(before, before), dict[str, tuple[str, ...]]()
    for switch in contract.behaviour.interpretations.values():
        name = f"{contract.provider}.{switch.name}"
        here = chosen.get(name, switch.default)
        if not switch.alternatives:
            continue
        fits[name] = (here,)
        for value in sorted(switch.readings - {here}):
            try:
                # Without a patch on either side, the kit judges both in the same way.
                is_patched = not switch.patched.isdisjoint({here, value})
                again = finder.under({**chosen, name: value}) if is_patched else before
            except ContractError:
                again = before  # readings that contradict each other
            if not _broken(again, before) - wrong:
                fits[name] = (*fits[name], value)
    return fits


def _better(
    finder: Finder,
    chosen: Mapping[str, str],
    best: Counter[str],
    useless: set[tuple[str, str]],
) -> tuple[str, str, Counter[str]] | None:
    """The reading under which the fewest rules are wrong, if fewer than in *best*.

    Readings in *useless* are left out. Those that explain nothing are added to it.
    """
    found, before = None, finder.under(chosen)
    few = _few(finder.memories, before)
    few_before = [finder.again(it, chosen) for it in few]
    worst = _broken(few_before, few_before).total()
    for name, value in _others(finder, chosen):
        if (name, value) in useless:
            continue
        choices = {**chosen, name: value}
        try:
            some = [finder.again(it, choices) for it in few]
            if _broken(some, few_before).total() >= worst:
                useless.add((name, value))
                continue
            again = finder.under(choices)
        except ContractError:
            continue  # readings that contradict each other
        broken = _broken(again, before)
        # A rule that was not judged again is not explained, unless its flow got past the answer
        # that was wrong, which was the last one.
        for rule_id in best.keys() - broken.keys():
            passed = (
                new.judge.kept[rule_id]
                or (old.judge.broken[rule_id] and new.is_unable and new.reached >= old.reached)
                for new, old in zip(again, before, strict=True)
            )
            if not any(passed):
                broken[rule_id] = best[rule_id]
        if any(broken[it] > best[it] for it in broken):
            continue
        least = best if found is None else found[2]
        if broken.total() < least.total():
            found = name, value, broken
    return found


def _few(memories: Sequence[Memory], before: Sequence[Again]) -> list[Memory]:
    """Short memories in which every rule is wrong that is wrong *before*."""
    found: list[Memory] = []
    seen: set[str] = set()
    pairs = zip(memories, before, strict=True)
    for memory, again in sorted(pairs, key=lambda it: len(it[0].answers)):
        wrong = _wrong(again.judge).keys()
        if wrong - seen:
            found.append(memory)
            seen |= wrong
    return found


def _others(finder: Finder, chosen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The readings beside *chosen* ones that change what is judged."""
    contract, checks = finder.result.contract, finder.view(chosen).checks
    for switch in contract.behaviour.interpretations.values():
        name = f"{contract.provider}.{switch.name}"
        here = chosen.get(name, switch.default)
        for value in sorted(switch.readings - {here}):
            is_patched = bool(switch.patched & {here, value})
            if is_patched or finder.view({**chosen, name: value}).checks != checks:
                yield name, value


def _wrong(judge: Judge) -> Counter[str]:
    """How often each rule broke; one that differs counts once."""
    return judge.broken + Counter(judge.differs.keys())


def _broken(again: Sequence[Again], before: Sequence[Again]) -> Counter[str]:
    """How often each rule is wrong *again*; what was not reached counts as *before*."""
    found: Counter[str] = Counter()
    for new, old in zip(again, before, strict=True):
        is_cut = new.is_unable and new.reached < old.reached
        found += _wrong(new.judge) | _wrong(old.judge) if is_cut else _wrong(new.judge)
    return found


def _explain(result: Result, first: Counter[str], best: Counter[str], judges: list[Judge]) -> None:
    """Take what is explained from the judge of *result*."""
    judge = result.judge
    for rule_id in [it for it in first if not best[it]]:
        findings = [it for it in judge.findings if it.rule.id == rule_id]
        judge.findings = [it for it in judge.findings if it.rule.id != rule_id]
        del judge.broken[rule_id]
        differs = judge.differs.pop(rule_id, None)
        is_asked = any(it.is_asked and rule_id in it.rules for it in result.readings)
        if is_asked or not any(it.kept[rule_id] for it in judges):
            judge.differs[rule_id] = differs or findings[0]
        else:
            judge.kept[rule_id] += 1
    for rule_id in [it for it in judge.broken if best[it] and best[it] < first[it]]:
        left = [it for one in judges for it in one.findings if it.rule.id == rule_id]
        others = [it for it in judge.findings if it.rule.id != rule_id]
        judge.findings = [*others, *left]
        judge.broken[rule_id] = sum(it.broken[rule_id] for it in judges)


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

    def find(self, result: Result, fixed: Mapping[str, str], *, is_profiled: bool = False) -> None:
        """Note in *result* which readings the server follows; with *is_profiled*, which fit."""
        memories = [Memory(name, tuple(it), before) for name, before, it in self._begun]
        find_readings(result, self._target, memories, fixed)
        if is_profiled:
            result.fits = fitting_readings(result, self._target, memories, fixed)
