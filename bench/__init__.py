"""Measurements: the mock under load, beside what it is built on and beside its peers."""
