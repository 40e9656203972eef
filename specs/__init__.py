"""The contracts: an OpenAPI file and a behaviour file per provider, and the code that reads them.

Pure: nothing here opens a socket, looks at a clock or knows a web framework. The mock simulates
from these contracts and the contract kit judges by them, so a state, a price or a limit is written
down once.
"""
