"""The mock as tools of a coding agent: what `screentest mcp` serves.

May import `mock_server.cli`. Only `server` knows the protocol; its package is the extra `mcp`.
"""
