"""Fuzzing the mock with schemathesis: the runner, its configuration and realistic files."""
