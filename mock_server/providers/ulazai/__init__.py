"""UlazAI: what its contract files cannot express."""
