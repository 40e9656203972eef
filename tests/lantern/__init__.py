"""Lantern, the plainest provider that works: a contract that leaves out whatever has a default.

Marionette beside it says in its two files all that two files can say. Lantern has no tiers, limits,
URLs, media, or text to sign of its own; only its states guard an operation. The engine's webhook
tests receive its messages, which are repeated over nearly nine hours.
"""
