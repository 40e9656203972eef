"""The command line. What the verbs share is here; each verb is a module in `verbs/`.

Client verbs use the standard library and click only: no Flask, no validator, no contract kit.
"""
