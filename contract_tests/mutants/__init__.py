"""Mutants: defects of providers as data, and how many of them the kit finds."""
