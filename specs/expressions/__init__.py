"""The expression language of behaviour files, in CEL's syntax, and templates made of it.

May import the files of `specs` alone. It knows no contract: a place gives the names it offers.
"""
