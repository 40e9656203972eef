"""Tests of the promises in SECURITY.md, one file per group of them."""
