"""What the journal says about a client: refused requests, repeated calls, ignored fields.

May import the engine and what is below it. Findings describe; they never change an answer.
"""
