"""Webhooks reach this machine and private networks, and never what only looks like them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screentest.mock_server.http.transport import Sockets
from screentest.mock_server.http.webhook_targets import Place, Targets, place_of
from screentest.mock_server.kernel.errors import MockError
from screentest.mock_server.kernel.webhooks import Outcome, WebhookRequest

from .receiver import receiving

LOCAL = Targets()
EXPOSED = Targets(is_exposed=True)


def _is_refused(targets: Targets, url: str) -> bool:
    try:
        targets.check_url(url, {})
    except MockError:
        return True
    return False


def _refusal(targets: Targets, url: str) -> str:
    with pytest.raises(MockError) as caught:
        targets.check_url(url, {})
    return str(caught.value)


# --- Addresses as they are written ----------------------------------------------------------------

ONLY_WHILE_LOCAL = [
    "127.0.0.1",
    "127.255.255.254",
    "[::1]",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
]
ONLY_WHILE_EXPOSED = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.1",
    "11.0.0.1",
    "192.169.0.1",
    "[2606:4700::1111]",
    "[2a00:1450::1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
    "[2002:808:808::1]",
]
NEVER = [
    # unspecified, "this" network, broadcast, reserved
    "0.0.0.0",
    "0.1.2.3",
    "255.255.255.255",
    "240.0.0.1",
    "[::]",
    # link-local, and what clouds keep there
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "[fec0::1]",
    # multicast
    "224.0.0.1",
    "239.255.255.255",
    "[ff02::1]",
    "[ff0e::1]",
    # the same, inside other addresses: mapped, compatible, NAT64, 6to4, Teredo
    "[::ffff:169.254.169.254]",
    "[::ffff:0.0.0.0]",
    "[::a9fe:a9fe]",
    "[::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:a9fe:a9fe::]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:808:808::5601:5601]",
    # documentation, shared and benchmark space: not a private network
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "100.64.0.1",
    "198.18.0.1",
    "[2001:db8::1]",
]


@pytest.mark.parametrize("host", ONLY_WHILE_LOCAL)
def test_private_networks_are_reached_only_by_a_server_for_this_machine(host: str) -> None:
    url = f"http://{host}:9000/hook"

    assert (_is_refused(LOCAL, url), _is_refused(EXPOSED, url)) == (False, True)


@pytest.mark.parametrize("host", ONLY_WHILE_EXPOSED)
def test_global_addresses_are_reached_only_by_an_exposed_mock(host: str) -> None:
    url = f"https://{host}/hook"

    assert (_is_refused(LOCAL, url), _is_refused(EXPOSED, url)) == (True, False)


@pytest.mark.parametrize("host", NEVER)
def test_some_addresses_are_never_reached(host: str) -> None:
    url = f"http://{host}:9000/hook"

    assert (_is_refused(LOCAL, url), _is_refused(EXPOSED, url)) == (True, True)


@pytest.mark.parametrize("host", NEVER[:19])
def test_forbidden_places_cannot_be_opened(host: str) -> None:
    opened = Targets(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")))

    assert _is_refused(opened, f"http://{host}:9000/hook")


def test_network_can_be_opened() -> None:
    opened = Targets(allowed=(ip_network("203.0.113.0/24"),))

    assert not _is_refused(opened, "http://203.0.113.7/hook")
    assert _is_refused(opened, "http://203.0.114.7/hook")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/hook",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "//127.0.0.1/",
        "127.0.0.1:9000",
        "http://",
        "http:///hook",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:65536/",
        "http://[::1",
        "http://127.0.0.1:9000/a b",
        "http://127.0.0.1:9000/\r\nX: y",
        "http://127.0.0.1\\@example.com/",
        "http://ex\u00e4mple/",
        "HTTP:127.0.0.1",
        "javascript:alert(1)",
    ],
)
def test_url_without_http_is_refused_with_an_example(url: str) -> None:
    assert "write one like http://127.0.0.1:9000/hook" in _refusal(LOCAL, url)


@pytest.mark.parametrize("userinfo", ["user@", "user:password@", ":@", "169.254.169.254@"])
def test_url_holds_no_user_name(userinfo: str) -> None:
    detail = _refusal(LOCAL, f"http://{userinfo}127.0.0.1:9000/hook")

    assert detail == "a webhook URL must not contain a user name or password"


def test_url_is_two_thousand_characters_at_most() -> None:
    start = "http://127.0.0.1:9000/"

    assert not _is_refused(LOCAL, start + "a" * (2_000 - len(start)))
    assert "at most 2000 characters" in _refusal(LOCAL, start + "a" * (2_001 - len(start)))


def test_mock_does_not_send_to_itself() -> None:
    targets = Targets(own_ports=frozenset({8787}))

    assert "not sent to the mock itself" in _refusal(targets, "http://127.0.0.1:8787/ozor/hook")
    assert "not sent to the mock itself" in _refusal(targets, "http://[::1]:8787/")
    assert not _is_refused(targets, "http://127.0.0.1:8788/")


# --- All addresses, against a table of ranges -----------------------------------------------------

#: First and last address of each network that is open to a mock on loopback.
_OPEN_V4 = [
    (0x7F00_0000, 0x7FFF_FFFF),
    (0x0A00_0000, 0x0AFF_FFFF),
    (0xAC10_0000, 0xAC1F_FFFF),
    (0xC0A8_0000, 0xC0A8_FFFF),
]
#: First address and number of leading bits of what no mock sends to.
_SHUT_V4 = [
    (0x0000_0000, 8),
    (0xA9FE_0000, 16),
    (0xA83F_8110, 32),
    (0x6464_64C8, 32),
    (0xC000_00C0, 32),
    (0xE000_0000, 4),
    (0xF000_0000, 4),
]
_EDGES_V4 = sorted(
    {edge + step for pair in _OPEN_V4 for edge in pair for step in (-1, 0, 1)}
    | {start + step for start, _ in _SHUT_V4 for step in (-1, 0, 1) if start + step >= 0}
)


def _is_open_v4(number: int) -> bool:
    return any(first <= number <= last for first, last in _OPEN_V4)


def _is_shut_v4(number: int) -> bool:
    return any(number >> (32 - bits) == start >> (32 - bits) for start, bits in _SHUT_V4)


_ANY_V4 = st.one_of(st.sampled_from(_EDGES_V4), st.integers(0, 2**32 - 1))


@given(number=_ANY_V4)
def test_ipv4_addresses_are_judged_by_their_range(number: int) -> None:
    place = place_of(IPv4Address(number))

    assert (place in {Place.LOOPBACK, Place.PRIVATE}) == _is_open_v4(number)
    assert (place is Place.NEVER) == _is_shut_v4(number)


@given(number=_ANY_V4)
def test_mapped_address_is_the_address_inside(number: int) -> None:
    mapped = IPv6Address((0xFFFF << 32) | number)

    assert place_of(mapped) is place_of(IPv4Address(number))


@given(
    number=_ANY_V4,
    wrap=st.sampled_from(
        [
            lambda it: it,  # IPv4-compatible
            lambda it: (0x64FF9B << 96) | it,  # NAT64
            lambda it: (0x2002 << 112) | (it << 80) | 1,  # 6to4
            lambda it: (0x2001_0000 << 96) | (it ^ 0xFFFF_FFFF),  # Teredo
        ]
    ),
)
@example(number=1, wrap=lambda it: (0x2002 << 112) | (it << 80) | 1)
def test_tunnel_leads_nowhere_that_is_not_global_by_itself(
    number: int, wrap: Callable[[int], int]
) -> None:
    address = IPv6Address(wrap(number))

    place = place_of(address)

    if address == IPv6Address("::1"):
        assert place is Place.LOOPBACK
    elif place is not Place.NEVER:
        assert (place, place_of(IPv4Address(number))) == (Place.GLOBAL, Place.GLOBAL)


@given(number=st.integers(0, 2**128 - 1) | st.integers(0, 2**16 - 1).map(lambda it: it << 112))
def test_ipv6_addresses_open_to_a_local_mock_are_loopback_unique_local_or_mapped(
    number: int,
) -> None:
    address = IPv6Address(number)
    is_unique_local = number >> 121 == 0xFC >> 1 and number >> 96 != 0xFD00_0EC2
    is_mapped = number >> 32 == 0xFFFF and _is_open_v4(number & 0xFFFF_FFFF)

    is_open = place_of(address) in {Place.LOOPBACK, Place.PRIVATE}

    assert is_open == (number == 1 or is_unique_local or is_mapped)


# --- Names ----------------------------------------------------------------------------------------


def _resolving(*answers: list[str]) -> tuple[Callable[[str, int], list[str]], list[str]]:
    """A resolver that gives *answers* in turn, and the names it was asked for."""
    left, asked = list(answers), list[str]()

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return left.pop(0)

    return resolve, asked


def _post(targets: Targets, url: str) -> Outcome:
    return Sockets(targets).post(WebhookRequest(url, {"Stage-Try": "1"}, b"{}"))


def test_name_is_resolved_once_and_what_was_checked_is_connected() -> None:
    with receiving() as receiver:
        resolve, asked = _resolving(["127.0.0.1"], ["169.254.169.254"])
        targets = Targets(resolve=resolve)

        outcome = _post(targets, f"http://hooks.test:{receiver.port}/hook?a=1")

    assert outcome.status == 204
    assert asked == ["hooks.test"]
    assert receiver.received[0].headers["host"] == f"hooks.test:{receiver.port}"
    assert receiver.received[0].path == "/hook?a=1"


def test_name_that_changes_its_mind_gains_nothing() -> None:
    """A thousand names that are public when asked first and this machine when asked again."""
    with receiving() as receiver:
        for _ in range(1_000):
            resolve, _ = _resolving(["169.254.169.254"], ["127.0.0.1"])
            outcome = _post(Targets(resolve=resolve), f"http://flip.test:{receiver.port}/")
            assert outcome.status is None

        assert receiver.received == []


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
        ["fe80::1%lo", "127.0.0.1"],
        [],
        ["no address"],
    ],
)
def test_one_bad_address_spoils_a_name(found: list[str]) -> None:
    with receiving() as receiver:
        resolve, _ = _resolving(found)

        outcome = _post(Targets(resolve=resolve), f"http://mixed.test:{receiver.port}/")

    assert outcome.status is None
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "localhost"])
def test_odd_spellings_are_judged_by_what_they_stand_for(host: str) -> None:
    with receiving() as receiver:
        reached = _post(LOCAL, f"http://{host}:{receiver.port}/")
        refused = _post(EXPOSED, f"http://{host}:{receiver.port}/")

    assert reached.status == 204
    assert refused.error is not None
    assert "loopback address" in refused.error


def test_name_that_leads_to_the_mock_itself_is_refused_when_it_is_sent_to() -> None:
    with receiving() as receiver:
        targets = Targets(
            own_ports=frozenset({receiver.port}), resolve=lambda host, port: ["127.0.0.1"]
        )

        outcome = _post(targets, f"http://me.test:{receiver.port}/")

    assert outcome == Outcome(None, "webhooks are not sent to the mock itself")
    assert receiver.received == []
