"""Mutants: known defects as data, used to measure how many of them the kit finds.

May import runs and below. For maintainers of the kit; users do not need it.
"""
