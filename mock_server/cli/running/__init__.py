"""Running mocks: a program of the user beside a mock of its own, and contracts read again.

May import the modules of the command line, and what is below them; no verb.
"""
