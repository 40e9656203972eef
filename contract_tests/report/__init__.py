"""Reports of a verification as text, HTML, JUnit XML and JSON Lines.

May import scenarios and below.
"""
