"""The rules that a contract implies, the verdicts on them, and prices by the contract's tables.

May import traces.
"""
