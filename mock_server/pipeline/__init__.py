"""The way of one request: route, gates, limits, idempotency, behaviour, faults, journal.

May import findings, the engine and what is below them. Framework-free: no sockets, no Flask.
"""
