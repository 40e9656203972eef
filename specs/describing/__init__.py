"""What a contract says, and what its files may say, for people and editors.

May import every room of `specs` but `linting`.
"""
