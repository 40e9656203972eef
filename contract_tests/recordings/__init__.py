"""Traffic in files: HAR, recorded traces, and the proxy that records.

May import runs and below.
"""
