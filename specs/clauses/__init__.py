"""The clauses of a provider's document, their subjects, and the places that cite them.

May import `specs.contracts` and below.
"""
