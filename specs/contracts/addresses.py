"""The documented addresses of the providers' APIs, by host."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from msgspec import Struct

from .contract import Contract


class ProviderAddress(Struct, frozen=True):
    """The documented address of a provider's API."""

    provider_id: str
    base_url: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.base_url).path

    def contains(self, path: str) -> bool:
        """Whether *path* is below the path of the base URL."""
        return path.startswith(f"{self.path}/")

    def below(self, path: str) -> str:
        """*path* after the path of the base URL."""
        return path[len(self.path) :] if self.contains(path) else path or "/"


class ProviderAddresses:
    """The addresses of the providers of *contracts*, by host."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._by_host: dict[str, list[ProviderAddress]] = {}
        for contract in contracts:
            for url in (contract.behaviour.base_url, *contract.behaviour.also_at):
                address = ProviderAddress(contract.provider, url.rstrip("/"))
                if not _is_local(address.host):
                    self._by_host.setdefault(address.host, []).append(address)
        # The longest path first: an operation may have a server of its own at the same host.
        for known in self._by_host.values():
            known.sort(key=lambda it: len(it.path), reverse=True)

    @property
    def hosts(self) -> list[str]:
        """The hosts, without addresses and names of this machine."""
        return sorted(self._by_host)

    def at(self, host: str, path: str = "") -> ProviderAddress | None:
        """The address at *host*, in any spelling, that *path* is below; None if there is none."""
        known = self._by_host.get(host.lower().removesuffix("."), ())
        return next((it for it in known if it.contains(path)), known[0] if known else None)

    def sibling(self, host: str) -> ProviderAddress | None:
        """The address of the provider whose site *host* belongs to, such as `www.example.org`."""
        name = f".{host.lower().removesuffix('.')}"
        for known, addresses in self._by_host.items():
            if name.endswith(f".{known.removeprefix('api.')}"):
                return addresses[0]
        return None


def _is_local(host: str) -> bool:
    """Whether *host* is this machine, or an address: what an OpenAPI file names for a trial."""
    return host == "localhost" or ":" in host or host.replace(".", "").isdecimal()
