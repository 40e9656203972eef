"""One folder per vendor, with only what its contract files cannot express.

A vendor's folder may import the engine and what is below it, and never another vendor's folder.
"""
