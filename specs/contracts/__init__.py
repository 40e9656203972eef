"""Whole contracts: the files of a provider together, the control API, and credentials.

May import `specs.behaviour` and below. Whatever needs only one of the two files belongs there.
"""
