"""Ozor: what its contract files cannot express."""
