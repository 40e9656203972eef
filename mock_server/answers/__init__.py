"""What is answered where no function of a provider does: by the contract, or made for its schemas.

May import `engine` and what is below it. No request is routed, judged or journaled here.
"""
