"""The contract kit: holds any server, mocked or real, to a provider's contract.

Its truth comes from `screentest.specs` alone. Every exchange becomes an event of a trace; monitors
judge traces, scenarios make them, and nothing that was not judged counts as kept.
"""
