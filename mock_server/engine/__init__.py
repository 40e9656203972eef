"""Everything that acts on a world: worlds, accounts, steps, streams, the outbox, job control.

May import store, media and kernel. Knows no HTTP and no vendor; what a provider does differently
comes from its contract or through `provider.Provider`.
"""
