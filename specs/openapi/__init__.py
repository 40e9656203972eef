"""OpenAPI files, compiled: operations, parameters, bodies, replies, and checks against schemas.

May import the modules of `screentest.specs` itself. No behaviour and no provider names.
"""
