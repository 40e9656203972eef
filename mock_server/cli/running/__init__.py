"""Programs of the user as processes beside a mock of their own, for `run` and `explore`.

May import the modules of the command line, and what is below them; no verb.
"""
