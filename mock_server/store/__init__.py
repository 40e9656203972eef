"""The state of all worlds: rows in memory, transactions, and the keepers that make them last.

May import the kernel. Knows rows, not what they mean. The only SQL is in a keeper, and no caller
outside this package depends on which keeper is in use.
"""
