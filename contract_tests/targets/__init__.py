"""Servers under test, the budget guard in front of them, and how requests to them are built.

May import monitors and below. Scenarios do not belong here.
"""
