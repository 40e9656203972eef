"""How much the kit judges and finds at servers of each kind, as a table in docs/contract-checks.md.

Our own mock is the server each time: as it is, or without its control API and with what a user
would supply. `python -m tools.judged_rules ozor` measures one provider, and without a name all of
them; rows of other providers stay as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from screentest.contract_tests.mutants.run import run_mutants
from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.runs.supplies import Supply, verify_with
from screentest.specs.contracts.registry import load_contract, shipped_contracts

PAGE = Path(__file__).parent.parent / "docs" / "contract-checks.md"
_BEGIN, _END = "<!-- judged rules -->\n", "<!-- end of judged rules -->"
_HEAD = (
    "| Provider | Rules and mutants | Own mock | All keys and a budget | One key and a budget "
    "| One key, `--tier smoke` |\n| --- | --- | --- | --- | --- | --- |\n"
)


class _WrongError(Exception):
    """The mock without a defect was accused."""


def main(arguments: Sequence[str]) -> int:
    """Measure the providers of *arguments* and write their rows. Exit code 1 for a false alarm."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    table, _, after = rest.partition(_END)
    rows = {line.split(" | ")[0]: line for line in table.splitlines(keepends=True)[2:]}
    try:
        for provider in sorted(arguments or shipped_contracts().names):
            row = _row(provider)
            rows[row.split(" | ")[0]] = row
            print(row, end="", flush=True)
    except _WrongError as error:
        print(error, file=sys.stderr)
        return 1
    found = "".join(rows[name] for name in sorted(rows))
    PAGE.write_text(f"{before}{_BEGIN}{_HEAD}{found}{_END}{after}", encoding="utf-8")
    return 0


def _row(provider: str) -> str:
    """The row of *provider* in each of the four ways.

    A cell has the rules that were judged, the defects that broke a rule, and those that differ from
    a reading.

    Raises:
        _WrongError: something is reported about the mock without a defect.
    """
    contract = load_contract(provider)
    cells: list[str] = []
    whole = ""
    for supply in Supply:
        result = verify_with(contract, supply)
        tally = run_mutants([provider], supply=supply)
        if result.is_broken or tally.false_alarms:
            raise _WrongError(f"{provider}, {supply.value}: {tally.false_alarms}")
        rules = len(result.judge.rules)
        judged = rules - result.judge.counts()[RuleVerdict.NOT_JUDGED]
        living = [it for it in tally.fates if it.tier != "stillborn"]
        killed = sum(1 for it in living if it.is_killed)
        differ = sum(1 for it in living if it.tier == "differs")
        found = f"{killed} + {differ} ({100 * (killed + differ) // len(living)} %)"
        whole = f"{rules}, {len(living)}"
        cells.append(f"{judged} ({100 * judged // rules} %), {found}")
    return f"| {contract.behaviour.name} | {whole} | {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
