"""Tests of the pytest plugin: most use its fixtures as a project does."""
