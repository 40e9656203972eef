"""A sixth provider that exists only here: two contract files, and no line of code of its own.

It says in them all that data can say: prices by formula, limits, caps by tier, signed files, media,
webhooks in a form of its own. Lantern beside it leaves out whatever has a default.
"""
