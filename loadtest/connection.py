"""One kept-alive HTTP/1.1 connection, spoken by hand: a library would retry or reconnect unseen.

In: a request's bytes. Out: a whole `Reply`, or an exception when it got lost. `client.py` calls it.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple


class Reply(NamedTuple):
    """A whole reply; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(host: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a POST request with a JSON body, `headers` added to what that needs."""
    added = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"{added}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """Carry one request at a time; opened, and opened again after its end, only when told."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address; nothing is opened yet."""
        self._host, self._port = host, port
        self._reader = asyncio.StreamReader()
        self._writer: asyncio.StreamWriter | None = None
        self._close_announced = False

    @property
    def closed(self) -> bool:
        """Say whether there is no connection, or its end was announced or has been heard of."""
        if self._writer is None or self._close_announced:
            return True
        return self._reader.at_eof() or self._reader.exception() is not None

    async def open(self) -> None:
        """Connect; raise OSError when nobody listens."""
        self.close()
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._close_announced = False

    def close(self) -> None:
        """Close at once; what is still on its way is dropped."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._writer = None

    async def exchange(self, request: bytes) -> Reply:
        """Send a request and return its whole reply.

        Raises OSError or EOFError when the connection ends first, ValueError for a reply that
        isn't HTTP/1.1 with a length.
        """
        if self._writer is None:
            raise ConnectionError("not open")
        self._writer.write(request)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        protocol, _, status = status_line.partition(" ")
        if protocol != "HTTP/1.1":
            raise ValueError(f"not HTTP/1.1: {status_line[:80]!r}")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        self._close_announced = headers.get("connection", "").lower() == "close"
        return Reply(int(status[:3]), headers, await self._body(headers))

    async def _body(self, headers: dict[str, str]) -> bytes:
        """Read a body of the length that the headers state, or in chunks."""
        if headers.get("transfer-encoding", "").lower() != "chunked":
            if "content-length" not in headers:
                raise ValueError("a reply without Content-Length or chunks")
            return await self._reader.readexactly(int(headers["content-length"]))
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readuntil(b"\r\n")
        return body
