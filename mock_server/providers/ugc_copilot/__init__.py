"""UGC Copilot: what its contract files cannot express."""
