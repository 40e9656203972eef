"""Draws and encodes the footage that `fixtures/media/` ships. For maintainers only."""
