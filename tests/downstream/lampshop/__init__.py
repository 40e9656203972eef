"""A shop that makes videos of its lamps."""
