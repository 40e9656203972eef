"""Scenarios: the shortest requests that give each declared behaviour a chance to break.

May import sessions and below. `verify` runs them against one target.
"""
