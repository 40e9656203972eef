"""The contract kit: a program, not test data, that checks any server against a provider's contract.

It imports `screentest.specs` and public names only, never a provider. Bottom to top: traces, rules,
monitors, targets, sessions, scenarios, report, runs, then recordings and mutants. The `test_*.py`
modules here are suites that downstream projects collect.
"""
