"""Servers that people would write from a provider's document alone, judged by the contract kit.

They import nothing of this project. Each is correct by some reading of its document, and has twelve
defects that can be switched on one at a time.
"""
