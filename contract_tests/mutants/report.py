"""The result of a run of mutants, as text and as JSON Lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from ..rules.contract_rules import FAMILIES
from .run import MutantTally
from .search import MutantResult


def tally_lines(tally: MutantTally) -> Iterator[str]:
    """Kill rates by family, then every survivor, then a summary in one line."""
    living = [it for it in tally.fates if it.tier != "stillborn"]
    yield "family                          killed   by monitors   requests   credits   per kill"
    for family, detail in FAMILIES.items():
        here = [it for it in living if it.mutant.family == family]
        if here:
            yield _family_line(family, detail, here)
    yield ""
    for fate in living:
        if not fate.is_killed:
            excuse = f" (argued: {fate.mutant.excuse})" if fate.mutant.excuse else ""
            verb = "DIFFERS" if fate.tier else "SURVIVED"
            yield f"  {verb} {fate.provider} {fate.mutant.id}: {fate.mutant.summary}{excuse}"
    for alarm in tally.false_alarms:
        yield f"  FALSE ALARM {alarm}"
    yield _last_line(tally, living)


def _family_line(family: str, detail: str, here: list[MutantResult]) -> str:
    killed = [it for it in here if it.is_killed]
    early = sum(1 for it in killed if it.tier == "monitors")
    requests = sum(it.requests for it in killed) // max(1, len(killed))
    credits = sum(it.credits for it in killed) // max(1, len(killed))
    return (
        f"{family}  {detail:<24} {len(killed):>4}/{len(here):<4} {early:>6} "
        f"({100 * early // len(here):>3} %) {requests:>9} {credits:>9}"
    )


def _last_line(tally: MutantTally, living: list[MutantResult]) -> str:
    killed = sum(1 for it in living if it.is_killed)
    early = sum(1 for it in living if it.tier == "monitors")
    differ = sum(1 for it in living if it.tier == "differs")
    more = f", {differ} more differ from a reading" if differ else ""
    by = Counter(it.mutant.is_generated for it in living)
    total = max(1, len(living))
    return (
        f"{killed} of {len(living)} killed ({100 * killed / total:.1f} %){more}, {early} by "
        f"schema, fuzz and monitors alone ({100 * early / total:.1f} %); {by[False]} by hand, "
        f"{by[True]} generated; {len(tally.false_alarms)} false alarms; {tally.seconds:.0f} s"
    )


def tally_json(tally: MutantTally) -> str:
    """One JSON object a line, one for each mutant."""
    return "".join(
        json.dumps(
            {
                "provider": it.provider,
                "id": it.mutant.id,
                "family": it.mutant.family,
                "summary": it.mutant.summary,
                "breaks": it.mutant.breaks,
                "tier": it.tier,
                "rule": it.rule,
                "seen": it.summary,
                "requests": it.requests,
                "credits": it.credits,
                "seconds": round(it.seconds, 3),
                "excuse": it.mutant.excuse,
            }
        )
        + "\n"
        for it in tally.fates
    )
