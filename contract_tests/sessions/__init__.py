"""The tools of a scenario: calls, resources, views of answers, and credits.

May import targets and below. A scenario decides what to do; these modules do not.
"""
