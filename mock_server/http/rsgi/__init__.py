"""The server of `screentest serve`: granian's RSGI interface on one event loop.

May import its parent `http` (except `app`) and every layer below. What another server or a client
in the same process needs as well belongs to `http`.
"""
