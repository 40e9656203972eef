"""HTTPS for clients with built-in addresses: certificates, and a proxy that leads to the mock.

May import the kernel. Needs the extra `tls`, which is loaded when a certificate is made.
"""
