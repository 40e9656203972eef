"""The control API: one module per noun, each with the operations of `specs/control/openapi.yaml`.

May import its parent `http` (except `app` and `server`) and every layer below.
"""
