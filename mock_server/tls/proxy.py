"""A proxy that leads calls to the providers' own hosts to the mock, and refuses all others.

A client reaches it by `HTTPS_PROXY`. It opens a TLS connection to a provider's host with a
certificate of ours, and passes what comes through it to the mock, which reads the Host header.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_HEAD_S_MAX = 10.0
_PIECE_BYTES = 64 * 1024
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]")
_HTTPS = 443
#: Leads the sockets of Node.js, which has no variable for proxies before version 22.21.
_NODE_HOOK = Path(__file__).with_name("node_hook.cjs")


class InterceptingProxy:
    """Leads calls to *hosts* to the mock on *mock_port* of this machine, until it is closed.

    *refused* gets the name of each other host that a client asks for, once.
    """

    def __init__(
        self,
        hosts: Collection[str],
        mock_port: int,
        context: ssl.SSLContext,
        refused: Callable[[str], None],
    ) -> None:
        self._hosts = frozenset(hosts)
        self._mock_port = mock_port
        self._context = context
        self._refused = refused
        self._known_refused: set[str] = set()
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        #: The port of the TLS connections, and that of the proxy.
        self.tls_port = self._run(self._listen(self._pass_on, self._context))
        self.port = self._run(self._listen(self._connect, None))

    def variables(self, node_options: str) -> Mapping[str, str]:
        """What leads HTTP clients here; *node_options* are those that Node.js has already."""
        address = f"http://127.0.0.1:{self.port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        hook = f'--require="{_NODE_HOOK}"'
        return {
            **{spelt: address for name in names for spelt in (name, name.lower())},
            "NODE_OPTIONS": f"{node_options} {hook}".strip(),
            "SCREENTEST_INTERCEPTED": f"{self.tls_port} {' '.join(sorted(self._hosts))}",
        }

    def close(self) -> None:
        """Close all connections."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    async def _listen(
        self,
        answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
        context: ssl.SSLContext | None,
    ) -> int:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a client of the proxy."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S_MAX)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            writer.close()
            return
        line = _REQUEST_LINE.match(head)
        method, target = (it.decode("latin-1") for it in line.groups()) if line else ("", "")
        parts = urlsplit(f"https://{target}" if method == "CONNECT" else target)
        try:
            is_https = parts.scheme == "https" and (parts.port or _HTTPS) == _HTTPS
        except ValueError:
            is_https = False
        if not is_https or (parts.hostname or "").removesuffix(".") not in self._hosts:
            await self._refuse(writer, parts.hostname or target)
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._join(reader, writer, self.tls_port)
        else:
            # Some clients send an https address to a proxy without a tunnel.
            await self._join(reader, writer, self._mock_port, head)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._join(reader, writer, self._mock_port)

    async def _refuse(self, writer: asyncio.StreamWriter, host: str) -> None:
        if host not in self._known_refused:
            self._known_refused.add(host)
            self._refused(host)
        text = f"screentest: {host!r} is not an https host of a provider, and no other is reached\n"
        head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        with suppress(OSError):
            writer.write(f"{head}{text}".encode("ascii", "replace"))
            await writer.drain()
        writer.close()

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        first: bytes = b"",
    ) -> None:
        """Pass bytes both ways between a client and *port* until one side ends; *first* first."""
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        both = {writer, inner_writer}
        self._open |= both
        inner_writer.write(first)
        ways = (_pass(reader, inner_writer), _pass(inner_reader, writer))
        tasks = [asyncio.ensure_future(it) for it in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in both:
            each.close()
        # What is left to send is sent, and then the other side ends too.
        await asyncio.wait(tasks)
        self._open -= both


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
