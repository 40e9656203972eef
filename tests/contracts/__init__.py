"""Contracts of the user's: how they are found, and what is done with them."""
