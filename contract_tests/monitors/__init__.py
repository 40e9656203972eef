"""Monitors: judge whatever traffic there is, without requests of their own.

May import rules and traces.
"""
