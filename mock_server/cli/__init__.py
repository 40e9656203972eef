"""The command line: `serve` starts the mock, the other verbs are thin clients of it."""
