"""Contracts of real vendors, driven by the vendors' own programs."""
