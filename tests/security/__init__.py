"""Tests of the requirements in SECURITY.md, one file for each group."""
