"""Behaviour files as structs: lifecycles, prices, limits, streams, refusals and their reasons.

May import `specs` and `specs.openapi`. No reading of OpenAPI files and no provider names.
"""
