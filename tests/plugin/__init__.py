"""Tests of the pytest plugin: most use its fixtures as any project would."""
