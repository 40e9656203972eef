"""Webhooks over real sockets on loopback: a server's threads, hostile receivers, time-outs."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

import pytest

from screentest.mock_server.http import transport
from screentest.mock_server.http.transport import READ_BYTES_MAX, Sockets
from screentest.mock_server.http.webhook_targets import Targets
from screentest.mock_server.kernel.webhooks import WebhookRequest

from ..lantern.lantern import FILM_MS, make_lantern
from ..mock_client import MINUTE_MS

#: Long enough for a machine under load; a test that waits this long has failed.
PATIENCE_S = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthanks"

Speak = Callable[[socket.socket, bytes], None]


def say(answer: bytes) -> Speak:
    return lambda line, _: line.sendall(answer)


@dataclass(slots=True)
class Listener:
    """A receiver on a port of its own; *speak* answers each request on its connection."""

    port: int
    speak: Speak
    requests: Queue[bytes] = field(default_factory=Queue[bytes])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=1"

    def next(self) -> tuple[str, dict[str, str], bytes]:
        """(request line, headers with lower-case names, body) of the next request."""
        head, _, body = self.requests.get(timeout=PATIENCE_S).partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return first, dict(line.lower().split(": ", 1) for line in lines), body

    def serve(self, line: socket.socket) -> None:
        with line:
            line.settimeout(PATIENCE_S)
            request = read_request(line)
            # Before the answer: what the sender does next must not overtake this.
            self.requests.put(request)
            # A sender may have had enough of it.
            with suppress(OSError):
                self.speak(line, request)


def read_request(line: socket.socket) -> bytes:
    """One request with a Content-Length."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    (length,) = [
        int(it.split(b":")[1]) for it in head.split(b"\r\n") if it.lower().startswith(b"content-le")
    ]
    while len(body) < length:
        body += line.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def listening(speak: Speak) -> Generator[Listener]:
    """A receiver that answers each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1], speak)

        def accept() -> None:
            for _ in range(1_000):
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=listener.serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener
        # Wakes the thread that accepts; closing alone does not.
        server.shutdown(socket.SHUT_RDWR)


def send(url: str, **headers: str) -> tuple[int | None, str | None, str]:
    outcome = Sockets(Targets()).post(WebhookRequest(url, headers, b'{"a":1}'))
    return outcome.status, outcome.error, outcome.reply


# --- One request ----------------------------------------------------------------------------------


def test_webhook_request_is_posted_unchanged() -> None:
    with listening(say(OK)) as listener:
        outcome = send(listener.url, Stamp="5")

        line, headers, body = listener.next()

    assert outcome == (200, None, "thanks")
    assert line == "POST /hook?a=1 HTTP/1.1"
    assert body == b'{"a":1}'
    assert headers == {
        "host": f"127.0.0.1:{listener.port}",
        "accept-encoding": "identity",
        "content-length": "7",
        "content-type": "application/json",
        "user-agent": "screentest-webhooks",
        "stamp": "5",
        "connection": "close",
    }


def test_name_is_kept_as_host_while_its_address_is_connected() -> None:
    targets = Targets(resolve=lambda *_: ["127.0.0.1"])
    with listening(say(OK)) as listener:
        outcome = Sockets(targets).post(
            WebhookRequest(f"http://hooks.test:{listener.port}/", {}, b"{}")
        )

        _, headers, _ = listener.next()

    assert (outcome.status, headers["host"]) == (200, f"hooks.test:{listener.port}")


def test_next_address_of_a_name_is_tried_when_the_first_is_silent() -> None:
    targets = Targets(resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])
    with listening(say(OK)) as listener:
        outcome = Sockets(targets).post(
            WebhookRequest(f"http://hooks.test:{listener.port}/", {}, b"{}")
        )

    assert outcome.status == 200


def test_redirect_is_an_answer_and_not_a_way() -> None:
    with listening(say(OK)) as elsewhere:
        away = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        with listening(say(away.encode())) as listener:
            outcome = send(listener.url)

    assert outcome[0] == 302
    assert elsewhere.requests.empty()


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(say(OK)) as proxy, listening(say(OK)) as listener:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        outcome = send(listener.url)

    assert outcome[0] == 200
    assert proxy.requests.empty()


def test_refused_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert send(f"http://127.0.0.1:{port}/") == (None, "connection refused", "")


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"", "remote end closed connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "ssh-2.0"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "http/1.1 abc"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "more than 100 headers"),
    ],
    ids=["nothing", "another protocol", "no status", "many headers"],
)
def test_invalid_http_answer_is_a_failure(answer: bytes, detail: str) -> None:
    with listening(say(answer)) as listener:
        status, error, _ = send(listener.url)

    assert status is None
    assert detail in str(error).lower()


def test_receiver_that_resets_the_connection_is_a_failure() -> None:
    def reset(line: socket.socket, _: bytes) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with listening(reset) as listener:
        status, error, _ = send(listener.url)

    assert (status, error) == (None, "connection reset by peer")


def test_body_without_end_is_read_no_further_than_it_is_worth() -> None:
    sent, has_poured = 0, threading.Event()

    def pour(line: socket.socket, __: bytes) -> None:
        nonlocal sent
        try:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
            for _ in range(100_000):
                sent += line.send(b"x" * 65_536)
        finally:
            has_poured.set()

    with listening(pour) as listener:
        outcome = send(listener.url)
        assert has_poured.wait(PATIENCE_S)

    assert (outcome[0], outcome[2]) == (200, "x" * 1_024)
    # What the kernel's buffers took is not what was read.
    assert READ_BYTES_MAX < 100_000
    assert sent < 100_000_000


def test_head_without_end_is_read_no_further_than_it_is_worth() -> None:
    with listening(say(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 10_000_000)) as listener:
        outcome = send(listener.url)

    assert outcome == (200, None, "")


def test_compressed_answer_is_not_unpacked() -> None:
    packed = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    )
    with listening(say(packed)) as listener:
        outcome = send(listener.url)

    assert outcome[0] == 200
    assert len(outcome[2]) == 4


def test_receiver_that_drips_is_cut_off_in_time() -> None:
    """Each byte comes within any time-out of a socket; all of them together do not."""
    hasty = Sockets(Targets(), total_s=0.3)
    stop = threading.Event()

    def drip(line: socket.socket, __: bytes) -> None:
        for _ in range(1_000):
            if stop.wait(0.02):
                return
            line.sendall(b"H")

    began = time.monotonic()
    with listening(drip) as listener:
        outcome = hasty.post(WebhookRequest(listener.url, {}, b"{}"))
    stop.set()

    assert (outcome.status, outcome.error) == (None, "timed out")
    assert time.monotonic() - began < PATIENCE_S / 4


def test_time_outs_are_those_of_the_document() -> None:
    assert (transport.CONNECT_S_MAX, transport.TOTAL_S_MAX) == (3.0, 15.0)


def test_plain_receiver_behind_https_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak_first() -> None:
            line, _ = server.accept()
            with line:
                line.sendall(OK)

        threading.Thread(target=speak_first, daemon=True).start()
        status, error, _ = send(f"https://127.0.0.1:{server.getsockname()[1]}/")

    assert status is None
    assert str(error).startswith("TLS: ")


def test_mock_is_not_its_own_receiver() -> None:
    with listening(say(OK)) as listener:
        targets = Targets(own_ports=frozenset({listener.port}))
        outcome = Sockets(targets).post(WebhookRequest(listener.url, {}, b"{}"))

    assert outcome.error == "webhooks are not sent to the mock itself"


# --- A server's own threads -----------------------------------------------------------------------


def test_server_waits_for_the_outcome_before_time_goes_on() -> None:
    answers = Queue[bytes]()
    for _ in range(5):
        answers.put(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    answers.put(OK)

    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(answers.get(timeout=PATIENCE_S))

    with listening(answer) as listener:
        lantern = make_lantern(is_server=True)
        lantern.register(listener.url)
        lantern.start()
        began = time.perf_counter()
        fired = lantern.world.advance(9 * 60 * MINUTE_MS)
        took_s = time.perf_counter() - began

    (delivery,) = lantern.deliveries()
    assert [it["at"][11:] for it in delivery["attempts"]] == [
        "00:00:10Z",
        "00:01:10Z",
        "00:06:10Z",
        "00:36:10Z",
        "02:36:10Z",
        "08:36:10Z",
    ]
    assert (delivery["state"], fired[-1]["type"]) == ("delivered", "webhook.delivered")
    assert took_s < 1


def test_receiver_that_polls_the_server_at_once_finds_the_film_shown() -> None:
    lantern = make_lantern(is_server=True)
    seen: list[Any] = []

    def poll(line: socket.socket, request: bytes) -> None:
        event = json.loads(request.partition(b"\r\n\r\n")[2])
        seen.append(lantern.client.get(f"/films/{event['film']}").json()["state"])
        line.sendall(OK)

    with listening(poll) as listener:
        lantern.register(listener.url)
        lantern.start()
        lantern.world.advance(FILM_MS)

    assert seen == ["shown"]


def test_running_clock_sends_without_a_request() -> None:
    with listening(say(OK)) as listener:
        lantern = make_lantern(is_server=True, clock={"mode": "real", "speed": 200})
        secret_length = len(lantern.register(listener.url)["secret"])
        film = lantern.start()

        _, headers, body = listener.next()

    assert (secret_length, json.loads(body)["film"]) == (38, film)
    assert headers["lantern-attempt"] == "1"


def test_running_clock_repeats_without_a_request() -> None:
    refuse = say(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    with listening(refuse) as listener:
        # 9 hours in a fifth of a second.
        lantern = make_lantern(is_server=True, clock={"mode": "real", "speed": 160_000})
        lantern.register(listener.url)
        lantern.start()

        attempts = [listener.next()[1]["lantern-attempt"] for _ in range(6)]

    assert attempts == list("123456")


def test_eight_are_under_way_at_most() -> None:
    gate, started = threading.Event(), threading.Semaphore(0)

    def hold(line: socket.socket, _: bytes) -> None:
        started.release()
        gate.wait(PATIENCE_S)
        line.sendall(OK)

    with listening(hold) as listener:
        lantern = make_lantern(is_server=True)
        for _ in range(5):
            lantern.register(listener.url)
        for _ in range(3):
            lantern.start()
        mover = threading.Thread(target=lantern.world.advance, args=(FILM_MS,))
        mover.start()
        for _ in range(8):
            assert started.acquire(timeout=PATIENCE_S)
        is_ninth_let_in = started.acquire(timeout=0.1)
        gate.set()
        mover.join(PATIENCE_S)

    assert not is_ninth_let_in
    assert [it["state"] for it in lantern.deliveries()] == ["delivered"] * 15


def test_one_endpoint_gets_two_at_a_time() -> None:
    gate, started, lock = threading.Event(), threading.Semaphore(0), threading.Lock()
    at_once = most_at_once = 0

    def hold(line: socket.socket, _: bytes) -> None:
        nonlocal at_once, most_at_once
        with lock:
            at_once += 1
            most_at_once = max(most_at_once, at_once)
        started.release()
        gate.wait(PATIENCE_S)
        # Before the answer, which lets the next one in.
        with lock:
            at_once -= 1
        line.sendall(OK)

    with listening(hold) as listener:
        lantern = make_lantern(is_server=True)
        lantern.register(listener.url)
        for _ in range(5):
            lantern.start()
        mover = threading.Thread(target=lantern.world.advance, args=(FILM_MS,))
        mover.start()
        for _ in range(2):
            assert started.acquire(timeout=PATIENCE_S)
        is_third_let_in = started.acquire(timeout=0.1)
        gate.set()
        mover.join(PATIENCE_S)

    assert (is_third_let_in, most_at_once) == (False, 2)


def test_slow_receiver_does_not_hold_up_other_calls() -> None:
    gate = threading.Event()

    def hold(line: socket.socket, _: bytes) -> None:
        gate.wait(PATIENCE_S)
        line.sendall(OK)

    with listening(hold) as listener:
        lantern = make_lantern(is_server=True, clock={"mode": "real", "speed": 1_000})
        lantern.register(listener.url)
        film = lantern.start()
        mover = threading.Thread(target=lantern.deliveries)
        mover.start()
        began = time.perf_counter()
        for _ in range(20):
            lantern.client.get(f"/films/{film}")
        took_s = time.perf_counter() - began
        gate.set()
        mover.join(PATIENCE_S)

    # Calls that waited for the receiver would wait until the gate opens, or its patience ends.
    assert took_s < PATIENCE_S / 4


def test_rotation_while_an_attempt_waits_for_its_turn_signs_with_the_new_secret() -> None:
    """Two attempts hold the endpoint's places; the third starts only after the rotation."""
    gate, started = threading.Event(), threading.Semaphore(0)

    def hold(line: socket.socket, _: bytes) -> None:
        started.release()
        gate.wait(PATIENCE_S)
        line.sendall(OK)

    with listening(hold) as listener:
        lantern = make_lantern(is_server=True)
        lantern.register(listener.url)
        for _ in range(3):
            lantern.start()
        mover = threading.Thread(target=lantern.world.advance, args=(FILM_MS,))
        mover.start()
        for _ in range(2):
            assert started.acquire(timeout=PATIENCE_S)
        new = lantern.control("POST", "webhooks/endpoints/ep_1/rotate", {}).json()["secret"]
        gate.set()
        mover.join(PATIENCE_S)
        got = [listener.next() for _ in range(3)]

    signed = sorted(is_signed(headers, body, new) for _, headers, body in got)
    assert signed == [False, False, True]


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    signed = headers["lantern-time"].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return headers["lantern-signature"] == f"v1={expected}"
