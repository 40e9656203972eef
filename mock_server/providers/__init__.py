"""One module per provider: only what its two contract files cannot express."""
