"""checks.yaml: how each promise is observed.

May import `specs.clauses` and below. Nothing here calls a server.
"""
