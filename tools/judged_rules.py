"""How many rules the kit judges at servers of each kind, as a table in docs/contract-checks.md.

Our own mock is the server each time: as it is, or without its control API and with the accounts
that a user would supply. `python -m tools.judged_rules` runs all of it and writes the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract, shipped_contracts

PAGE = Path(__file__).parent.parent / "docs" / "contract-checks.md"
_BEGIN, _END = "<!-- judged rules -->\n", "<!-- end of judged rules -->"
_HEAD = (
    "| Provider | Rules | Own mock | All keys and a budget | One key and a budget "
    "| One key, `--tier smoke` |\n| --- | --- | --- | --- | --- | --- |\n"
)


def main() -> int:
    """Run everything and write the table. Exit code 1 if a rule breaks."""
    rows: list[str] = []
    for provider in sorted(shipped_contracts().names):
        contract = load_contract(provider)
        results = list(_results(contract))
        rules = len(results[0].judge.rules)
        cells = [_cell(it, rules) for it in results]
        rows.append(f"| {contract.behaviour.name} | {rules} | {' | '.join(cells)} |\n")
        print(rows[-1], end="", flush=True)
        if any(it.is_broken for it in results):
            print(f"{provider}: a rule is broken at the mock itself", file=sys.stderr)
            return 1
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}{_HEAD}{''.join(rows)}{_END}{after}", encoding="utf-8")
    return 0


def _results(contract: Contract) -> Iterator[Result]:
    """Our own mock; without controls: every key, one key, one key and what one job shows."""
    checks, app = load_checks(contract), make_app(contract)
    scenarios = scenarios_of(contract, checks)
    yield verify(contract, checks, lambda: InProcessTarget(app, contract), scenarios)
    yield _plain(contract, scenarios, has_others=True)
    yield _plain(contract, scenarios, has_others=False)
    yield _plain(contract, [it for it in scenarios if it.is_smoke], has_others=False)


def _plain(contract: Contract, scenarios: Sequence[Scenario], *, has_others: bool) -> Result:
    mock = InProcessTarget(make_app(contract), contract)
    target = Guarded(PlainTarget(mock, has_others), contract, CreditBudget(None))
    return verify(
        contract, load_checks(contract), lambda: target, scenarios, is_open=True, is_shared=True
    )


def _cell(result: Result, rules: int) -> str:
    judged = rules - result.judge.counts()[RuleVerdict.NOT_JUDGED]
    return f"{judged} ({100 * judged // rules} %)"


if __name__ == "__main__":
    sys.exit(main())
