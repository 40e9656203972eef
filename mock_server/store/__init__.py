"""The state of all worlds, and the only SQL.

May import the kernel. Knows rows and transactions, not what they mean.
"""
