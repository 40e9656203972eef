"""Monitors: they judge any traffic and send no requests.

May import rules and traces.
"""
