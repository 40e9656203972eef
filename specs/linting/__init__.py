"""Mistakes in contract files: what a JSON Schema cannot express.

May import every room of `specs`. The mock and the kit load contracts without it.
"""
