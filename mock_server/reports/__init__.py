"""What a run has met and spent: outcome coverage, the receipt, and the counts behind both.

May import the findings and what is below them. Knows no server and no test runner.
"""
