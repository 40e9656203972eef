"""Where webhooks may go: this machine and private networks, unless the user allows more.

A mock that posts to any URL would open a way into other networks. Every address that a name
resolves to is checked, and the connection goes to the checked address: no name is resolved twice.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit
from wsgiref.types import WSGIApplication

from msgspec import Struct

from ..kernel.errors import MockError, unknown

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: The addresses of (host, port), as texts.
Resolve = Callable[[str, int], Collection[str]]

#: Applications of this process that receive webhooks, by name; their URL is `wsgi:NAME`.
Receivers = Mapping[str, WSGIApplication]

URL_LENGTH_MAX = 2_000
_PORTS = {"http": 80, "https": 443}


class Place(Enum):
    """What an address is to this machine."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    GLOBAL = "global"
    OTHER = "special-purpose"
    NEVER = "forbidden"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


#: These cannot be allowed: "this" network, link-local with the clouds' metadata services, the
#: metadata addresses elsewhere, multicast, reserved and broadcast.
_NEVER = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "168.63.129.16/32",
    "100.100.100.200/32",
    "192.0.0.192/32",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "fd00:ec2::/32",
)
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
# Addresses that carry an IPv4 address inside: the connection ends at that one.
_MAPPED = IPv6Network("::ffff:0:0/96")
_TUNNELS = _networks("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")


def place_of(address: Address) -> Place:
    """The place of *address*, or of the IPv4 address that an IPv6 one carries."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return Place.NEVER
        if address in _MAPPED:
            return place_of(IPv4Address(int(address) & 0xFFFF_FFFF))
        if any(address in network for network in _LOOPBACK):
            return Place.LOOPBACK
        if any(address in network for network in _TUNNELS):
            # A tunnel must not reach more than could be reached without it.
            carried = carried_address(address)
            is_open = carried is not None and place_of(carried) is Place.GLOBAL
            return Place.GLOBAL if is_open else Place.NEVER
    for networks, place in (
        (_NEVER, Place.NEVER),
        (_LOOPBACK, Place.LOOPBACK),
        (_PRIVATE, Place.PRIVATE),
    ):
        if any(address in network for network in networks):
            return place
    return Place.GLOBAL if address.is_global else Place.OTHER


def carried_address(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a tunnel's *address* leads to; None if that is unknown."""
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in IPv6Network("64:ff9b::/96") or address in IPv6Network("::/96"):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def read_network(text: str) -> Network:
    """The network that *text* names: `203.0.113.7`, `203.0.113.0/24` or `2001:db8::/32`.

    Raises:
        MockError: *text* is not a network, or is one that cannot be allowed.
    """
    try:
        network = ip_network(text)
    except ValueError as error:
        raise MockError(
            f"{text[:100]!r} is not a network to send webhooks to ({error}); "
            "write an address, or one like 203.0.113.0/24"
        ) from None
    for never in _NEVER:
        if network.version == never.version and _is_within(network, never):
            raise MockError(f"{network} cannot be opened: no webhook is ever sent to {never}")
    return network


def _is_within(network: Network, wider: Network) -> bool:
    return network.network_address in wider and network.broadcast_address in wider


def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of *host*, as the machine's resolver knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class Targets(Struct, frozen=True):
    """What one mock may send to.

    *is_exposed*: the mock listens beyond this machine, so strangers could make it send webhooks;
    only global addresses are then allowed. *allowed* are further networks. *own_ports* are the
    ports on which the mock listens.
    """

    is_exposed: bool = False
    allowed: tuple[Network, ...] = ()
    own_ports: frozenset[int] = frozenset()
    resolve: Resolve = resolve_by_system

    def check_url(self, url: str, receivers: Receivers) -> None:
        """Raises unless *url* may be a target, as far as this is known without resolving its name.

        Raises:
            MockError: no http, https or known `wsgi:` URL, or an address that is never allowed.
        """
        if url.startswith("wsgi:"):
            if url[5:] not in receivers:
                raise unknown("receiver", url[5:], receivers, status=422)
            return
        parts = split_url(url)
        try:
            literal = ip_address(parts.hostname or "")
        except ValueError:
            return
        self._check_address(literal, port_of(parts))

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to for *host*, all of them allowed.

        Raises:
            MockError: *host* has no address, or one that is not allowed.
        """
        try:
            found = [ip_address(text) for text in self.resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise MockError(f"{host} could not be resolved: {error}", code="target") from None
        except ValueError:
            found = []
        if not found:
            raise MockError(f"{host} has no address", code="target")
        for address in found:
            self._check_address(address, port)
        return [str(address) for address in found]

    def _check_address(self, address: Address, port: int) -> None:
        place = place_of(address)
        if place is Place.LOOPBACK and port in self.own_ports:
            raise MockError("webhooks are not sent to the mock itself", code="target")
        local = {Place.LOOPBACK, Place.PRIVATE}
        is_open = place is Place.GLOBAL if self.is_exposed else place in local
        is_listed = place is not Place.NEVER and any(address in it for it in self.allowed)
        if not is_open and not is_listed:
            reach = "global addresses" if self.is_exposed else "this machine and private networks"
            raise MockError(
                f"{address} is a {place.value} address; webhooks are sent to {reach} only",
                code="target",
            )


def split_url(url: str) -> SplitResult:
    """The parts of an http or https URL.

    Raises:
        MockError: *url* is not such a URL, or contains credentials or invalid characters.
    """
    is_clean = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if not is_clean or parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise MockError(
            f"{url[:100]!r} is not a target for webhooks; write one like "
            "http://127.0.0.1:9000/hook",
            code="target",
        )
    if parts.username is not None or parts.password is not None:
        raise MockError("a webhook URL must not contain a user name or password", code="target")
    if len(url) > URL_LENGTH_MAX:
        raise MockError(f"a webhook URL has at most {URL_LENGTH_MAX} characters", code="target")
    return parts


def port_of(parts: SplitResult) -> int:
    """The port that a URL names, or that of its scheme."""
    return parts.port or _PORTS[parts.scheme]
