"""What is wrong with a contract file, told to the person who wrote it."""

from __future__ import annotations


class ContractError(ValueError):
    """A contract file cannot be used; the message names file, place and remedy."""
