"""The stateful mock server. Folders are layers; each imports only what is listed below it.

Top to bottom: cli, http, pipeline, findings and providers, engine, store, kernel and media. All of
them may import `screentest.specs`. Only cli may import the contract kit, which it runs.
"""
