"""ZnapAI: what its contract files cannot express."""
