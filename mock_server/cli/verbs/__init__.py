"""One module per verb of `screentest`; `cli.main.VERBS` lists them.

A verb may import `cli`. `serve` and `run` may import `http`; the verbs of the contract kit may
import `screentest.contract_tests`, inside the functions that need it.
"""
