"""Scenarios: the shortest requests that give each declared behaviour a chance to break."""
