"""A first contract out of an OpenAPI file and recorded calls. Everything guessed says why.

May import every room of `specs`. Nothing here reads a recording; `contract_tests/recordings` does.
"""
