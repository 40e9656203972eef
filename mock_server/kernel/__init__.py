"""Rules as pure functions of (rows, now, rng): clock, ids, lifecycle, ledger, faults, signing.

May import `screentest.specs` only. No sockets, threads, frameworks, SQL, wall time or unseeded
randomness; no vendor names.
"""
