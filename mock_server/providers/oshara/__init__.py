"""Oshara: what its contract files cannot express."""
