"""Requests as they come from the server: headers picked out, the body read no further than allowed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from service.errors import BadInput, BodyTooLarge, FlotillaError, WrongContentType
from service.request import Headers, read_body, read_headers, timeout_ms

JSON = Headers(content_type=b"application/json")
MOST_BYTES = 10


def read(
    messages: Iterable[dict[str, Any]], headers: Headers = JSON, most_bytes: int = MOST_BYTES
) -> tuple[bytes, int]:
    """Read a body that comes in these messages; return it and how many of them were taken."""
    waiting = list(messages)
    count = len(waiting)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    body = asyncio.run(read_body(headers, receive, most_bytes))
    return body, count - len(waiting)


def parts(*chunks: bytes) -> list[dict[str, Any]]:
    """Return the messages of a body in chunks."""
    last = len(chunks) - 1
    return [
        {"type": "http.request", "body": chunk, "more_body": i < last} for i, chunk in enumerate(chunks)
    ]


def test_headers() -> None:
    """The headers that matter are picked out, whatever else came; the rest have their defaults."""
    raw = [
        (b"content-type", b"a/b"),
        (b"accept", b"*/*"),
        (b"x-model-version", b"7"),
        (b"cookie", b"\xff"),
    ]
    assert read_headers(raw) == Headers(content_type=b"a/b", model_version=b"7")
    assert read_headers([]) == Headers()


@pytest.mark.parametrize("chunks", [[b""], [b"{}"], [b"{", b"}"], [b"", b"{", b"", b"}", b""]])
def test_body(chunks: list[bytes]) -> None:
    """The body is put together from however many parts it comes in."""
    assert read(parts(*chunks)) == (b"".join(chunks), len(chunks))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", " application/json ;"],
)
def test_json_is_taken(content_type: str) -> None:
    """JSON is JSON in any case and with any parameter."""
    assert read(parts(b"{}"), Headers(content_type=content_type.encode()))[0] == b"{}"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (Headers(), "Content-Type: expected application/json, got none"),
        (Headers(content_type=b"text/csv"), "Content-Type: expected application/json, got text/csv"),
        (
            Headers(content_type=b"application/jsonx"),
            "Content-Type: expected application/json, got appl",
        ),
        (JSON._replace(content_encoding=b"gzip"), "Content-Encoding: expected none, got gzip"),
    ],
)
def test_other_types(headers: Headers, message: str) -> None:
    """Another type or a compressed body is refused before a byte of it is read."""
    with pytest.raises(WrongContentType) as refused:
        read([], headers)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        (JSON._replace(content_length=b"11"), []),
        (JSON._replace(content_length=b"1" + b"0" * 30), []),
        (JSON, parts(b"x" * 11)),
        (JSON, parts(b"x" * 6, b"x" * 5, b"never read")[:2]),
    ],
)
def test_too_large(headers: Headers, messages: list[dict[str, Any]]) -> None:
    """A body larger than allowed is refused at the first sign of it: no more is taken."""
    with pytest.raises(BodyTooLarge, match=r"^body: expected at most 10 bytes, got more$"):
        read(messages, headers)


def test_as_large_as_allowed() -> None:
    """A body of exactly the largest size is read."""
    headers = JSON._replace(content_length=b"10")
    assert read(parts(b"x" * 10), headers)[0] == read(parts(b"x" * 4, b"x" * 6))[0] == b"x" * 10


def test_client_that_leaves() -> None:
    """A client who leaves before the body is complete is no error of ours."""
    with pytest.raises(BadInput, match="the client left"):
        read([*parts(b"x", b"y")[:1], {"type": "http.disconnect"}])


@pytest.mark.parametrize(
    ("text", "expected"), [(b"", 500), (b"1", 1), (b"500", 500), (b"999999999", 500)]
)
def test_timeout(text: bytes, expected: int) -> None:
    """A client may be less patient than we are, never more."""
    assert timeout_ms(Headers(timeout_ms=text), 500) == expected


@pytest.mark.parametrize(
    "text", [b"0", b"-1", b"1.5", b"1e3", b"soon", b"5s", b"9999999999", b"\xb3", b" 5", b"000"]
)
def test_bad_timeout(text: bytes) -> None:
    """What isn't a whole number of milliseconds is refused by the header's name."""
    with pytest.raises(
        FlotillaError, match=r"^X-Request-Timeout-Ms: expected a whole number"
    ) as refused:
        timeout_ms(Headers(timeout_ms=text), 500)
    assert refused.value.status == 400
