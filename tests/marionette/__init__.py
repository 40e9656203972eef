"""A sixth provider, which exists only in these tests: two contract files and no Python code.

Its contract uses everything that data can express: prices by formula, limits, caps by tier, signed
files, media, webhooks in a separate form. Lantern omits everything that has a default.
"""
