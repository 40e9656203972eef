"""Bodies as the server receives them: within a time, within a size, and within all memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from granian._granian import RSGIProtocolClosed as ProtocolClosed

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

#: A body must arrive within this time; a client that sends half of one would be kept for ever.
BODY_S_MAX = 60.0
#: Bytes of bodies that are in memory while they arrive, over all connections.
BODIES_BYTES_MAX = 512 * 1024 * 1024
#: Bodies up to this size are received in one piece, and not counted.
_SMALL_BYTES = 64 * 1024
#: What a client may still send after its body was refused, so that it can read the refusal.
DRAIN_BYTES_MAX = 64 * 1024 * 1024


class BodyError(Exception):
    """A body cannot be received; *status* and *code* are those of the refusal."""

    status = 400
    code = "malformed_body"


class BodyTooLargeError(BodyError):
    """A body is larger than its limit. As much of it was read as is reasonable."""

    status = 413
    code = "too_large"


class BodyTimeoutError(BodyError):
    """A body did not arrive in time."""

    status = 408
    code = "body_timeout"


class TooManyBodiesError(BodyError):
    """The server is receiving more than it can keep."""

    status = 503
    code = "too_many_bodies"


class Bodies:
    """The bodies that one server is receiving."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._bytes = 0

    async def read(
        self, protocol: HTTPProtocol, headers: Mapping[str, str], bytes_max: int
    ) -> bytes:
        """The whole body; empty when there is none.

        Raises:
            BodyTooLargeError: it has more than *bytes_max* bytes.
            BodyTimeoutError: it did not arrive in time.
            ProtocolClosed: the client left before its end.
            TooManyBodiesError: the server is receiving too much at the same time.
        """
        if not has_body(headers):
            return b""
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) <= min(bytes_max, _SMALL_BYTES):
            # Each piece and the end would be a switch to the server's own threads and back.
            try:
                async with asyncio.timeout(self._seconds_max):
                    return await protocol()
            except TimeoutError:
                raise self._late() from None
        pieces: list[bytes] = []
        await self.receive(protocol, headers, bytes_max, pieces.append)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def receive(
        self,
        protocol: HTTPProtocol,
        headers: Mapping[str, str],
        bytes_max: int,
        keep: Callable[[bytes], Any],
    ) -> None:
        """Hand the pieces of a body to *keep*. Raises as `read` does."""
        announced = headers.get("content-length", "")
        is_kept = not announced.isdigit() or int(announced) <= bytes_max
        size = counted = 0
        try:
            async with asyncio.timeout(self._seconds_max):
                async for piece in protocol:
                    size += len(piece)
                    is_kept = is_kept and size <= bytes_max
                    if is_kept:
                        counted += len(piece)
                        self._bytes += len(piece)
                        if self._bytes > BODIES_BYTES_MAX:
                            raise TooManyBodiesError(
                                "too many bodies arrive at the same time; try again"
                            )
                        keep(bytes(piece))
                    elif size > bytes_max + DRAIN_BYTES_MAX:
                        break
        except TimeoutError:
            raise self._late() from None
        finally:
            self._bytes -= counted
        if announced.isdigit() and size < min(int(announced), bytes_max):
            raise ProtocolClosed
        if not is_kept:
            raise BodyTooLargeError(f"the body has more than {bytes_max} bytes")

    def _late(self) -> BodyTimeoutError:
        return BodyTimeoutError(f"the body did not arrive within {self._seconds_max:g} s")


def has_body(headers: Mapping[str, str]) -> bool:
    """Whether the headers of a request announce a body."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
