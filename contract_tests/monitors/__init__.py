"""Monitors: judge whatever traffic there is, without a request of their own."""
