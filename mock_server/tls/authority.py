"""Certificates of the mock, by an authority that lives as long as the process.

The authority's key is never written: a certificate that a client trusts for good could be used
against its user. The system's trust store stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernel.errors import MockError

if TYPE_CHECKING:
    import ssl

#: What HTTP clients read the authorities from that they trust: Go, Python's ssl and httpx;
#: requests; curl; Node.js; Deno. All but Node.js trust these alone then.
TRUST_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "DENO_CERT",
)
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, and the authority's certificate, as PEM."""

    authority: bytes
    chain: bytes
    key: bytes

    def context(self, folder: Path) -> ssl.SSLContext:
        """A server's context. The key is in *folder* while this reads it, and no longer."""
        import ssl

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        chain, key = self.write(folder)
        context.load_cert_chain(chain, key)
        chain.unlink()
        key.unlink()
        return context

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The files in *folder*, which others cannot read, of the chain and the key."""
        chain, key = folder / "chain.pem", folder / "key.pem"
        for path, text in ((chain, self.chain), (key, self.key)):
            path.touch(mode=0o600)
            path.write_bytes(text)
        return chain, key


def make_certificate(hosts: Iterable[str]) -> Certificate:
    """A certificate for *hosts* and this machine, by an authority made for it.

    Raises:
        MockError: the extra `tls` is not installed.
    """
    try:
        import trustme
    except ImportError:
        raise MockError("certificates need the extra tls: pip install 'screentest[tls]'") from None
    authority = trustme.CA(
        organization_name="screentest", organization_unit_name="mock of this machine"
    )
    issued = authority.issue_cert(*hosts, *_LOCAL)
    chain = b"".join(it.bytes() for it in issued.cert_chain_pems)
    return Certificate(authority.cert_pem.bytes(), chain, issued.private_key_pem.bytes())


def trusting(authority: Path) -> Mapping[str, str]:
    """Variables that let clients trust the certificate in the file *authority*."""
    return dict.fromkeys(TRUST_VARIABLES, str(authority.absolute()))
