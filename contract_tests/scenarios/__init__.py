"""Scenarios: the shortest requests that give each declared behaviour a chance to break.

May import targets and below. `verify` runs them against one target.
"""
