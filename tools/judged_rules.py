"""How much the kit judges and finds at servers of each kind, as a table in docs/contract-checks.md.

Our own mock is the server each time: as it is, or without its control API and with what a user
would supply. `python -m tools.judged_rules ozor live` measures one cell, `ozor` alone its row, and
without an argument all of them. `rules` leaves the defects out, which take the time. What is not
measured stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from screentest.contract_tests.mutants.run import run_mutants
from screentest.contract_tests.rules.judge import RuleVerdict, has_clause
from screentest.contract_tests.rules.known import silence_of
from screentest.contract_tests.runs.supplies import Supply, verify_with
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract, shipped_contracts

PAGE = Path(__file__).parent.parent / "docs" / "contract-checks.md"
_BEGIN, _END = "<!-- judged rules -->\n", "<!-- end of judged rules -->"
_HEAD = (
    "| Provider | Rules | Own mock | All keys and a budget | One key and a budget "
    "| One key, `--tier smoke` |\n| --- | --- | --- | --- | --- | --- |\n"
)


class _WrongError(Exception):
    """The mock without a defect was accused."""


def main(arguments: Sequence[str]) -> int:
    """Measure the cells of *arguments* and write them. Exit code 1 for a false alarm."""
    names = shipped_contracts().names
    providers = [it for it in arguments if it in names] or sorted(names)
    supplies = [it for it in Supply if it.value in arguments] or list(Supply)
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    table, _, after = rest.partition(_END)
    rows = {line.split(" | ")[0]: line for line in table.splitlines()[2:]}
    try:
        for provider in providers:
            name = f"| {load_contract(provider).behaviour.name}"
            cells = rows[name].strip("| ").split(" | ")
            for supply in supplies:
                place = 2 + list(Supply).index(supply)
                found = cells[place].partition("; ")[2] or "–"
                if "rules" not in arguments:
                    found = _defects(provider, supply)
                cells[1], judged = _rules(provider, supply)
                cells[place] = f"{judged}; {found}"
                print(provider, supply.value, cells[place], flush=True)
            rows[name] = f"| {' | '.join(cells)} |"
    except _WrongError as error:
        print(error, file=sys.stderr)
        return 1
    found = "".join(f"{rows[name]}\n" for name in sorted(rows))
    PAGE.write_text(f"{before}{_BEGIN}{_HEAD}{found}{_END}{after}", encoding="utf-8")
    return 0


def _rules(provider: str, supply: Supply) -> tuple[str, str]:
    """How many rules there are, and how many were judged with *supply*.

    Raises:
        _WrongError: a rule breaks at the mock without a defect.
    """
    result = verify_with(load_contract(provider), supply)
    if result.is_broken:
        raise _WrongError(f"{provider}, {supply.value}: {result.judge.findings[0].summary}")
    rules = len(result.judge.rules)
    judged = rules - result.judge.counts()[RuleVerdict.NOT_JUDGED]
    return str(rules), f"{judged} ({100 * judged // rules} %)"


def _defects(provider: str, supply: Supply) -> str:
    """How many defects broke a rule, how many only differ from a reading, and how many are missed.

    A defect that breaks a sentence of the document must break a rule; one that only differs is
    missed. The share is that of the defects that must.

    Raises:
        _WrongError: something is reported about the mock without a defect.
    """
    tally = run_mutants([provider], supply=supply)
    if tally.false_alarms:
        raise _WrongError(f"{provider}, {supply.value}: {tally.false_alarms}")
    living = [it for it in tally.fates if it.tier != "stillborn"]
    contract = load_contract(provider)
    inferred = silence_of(contract, load_checks(contract)).clauses
    found = [it.mutant.breaks for it in living if it.tier == "differs"]
    differ = sum(1 for it in found if it in inferred or not has_clause([it]))
    killed = sum(1 for it in living if it.is_killed)
    must = len(living) - differ
    counts = f"{killed} killed, {differ} differ, {must - killed} missed"
    return f"{counts} ({100 * killed // must} %)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
