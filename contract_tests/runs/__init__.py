"""From options to a verdict: opening a target, running the suites, fuzzing, the pytest entry.

May import every room of the kit except recordings and mutants.
"""
