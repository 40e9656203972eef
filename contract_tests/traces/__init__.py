"""What happened between a client and a server, as data, and how to read values out of it.

May import `screentest.specs` only.
"""
