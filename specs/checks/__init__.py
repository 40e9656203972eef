"""The `checks` section of a behaviour file: how each promise is observed.

May import `specs.clauses` and below. Nothing here calls a server.
"""
