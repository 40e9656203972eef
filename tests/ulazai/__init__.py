"""Tests of UlazAI: one file a subject, samples of its document included."""
