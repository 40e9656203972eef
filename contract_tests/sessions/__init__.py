"""What a scenario works with: calls, resources, what answers show, and credits.

May import targets and below. A scenario decides what to do; nothing here does.
"""
