"""A prediction request as it comes from the server: ASGI events in, headers and body out."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from service.errors import BadInput, BodyTooLarge, WrongContentType

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Headers(NamedTuple):
    """The headers that matter for a prediction."""

    content_type: str = ""
    content_encoding: str = ""
    content_length: str = "0"
    x_model_version: str = ""
    x_request_timeout_ms: str = ""
    x_request_id: str = ""


_FIELDS = {name.replace("_", "-").encode(): name for name in Headers._fields}


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Pick out the headers that matter; their names come in lower case."""
    return Headers(**{_FIELDS[name]: value.decode("latin-1") for name, value in raw if name in _FIELDS})


def timeout_ms(headers: Headers, most: int) -> int:
    """Return how long the client would wait, at most `most`; raise `BadInput` if it isn't a time."""
    text = headers.x_request_timeout_ms
    if not text:
        return most
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise BadInput(
            f"X-Request-Timeout-Ms: expected a whole number of milliseconds above 0, got {text[:20]!r}"
        )
    return min(most, int(text))


async def read_body(headers: Headers, receive: Receive, most_bytes: int) -> bytes:
    """Return the body; raise `WrongContentType` or `BodyTooLarge` without reading all of it."""
    kind = headers.content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        raise WrongContentType(f"Content-Type: expected application/json, got {kind[:60] or 'none'}")
    if headers.content_encoding:
        raise WrongContentType(f"Content-Encoding: expected none, got {headers.content_encoding[:20]}")
    size = int(headers.content_length)  # the server has checked that it is a number
    parts: list[bytes] = []
    more = True
    while more and size <= most_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput("body: the client left before it was complete")
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        size = max(size, sum(map(len, parts)))
    if size > most_bytes:
        raise BodyTooLarge(f"body: expected at most {most_bytes} bytes, got more")
    return parts[0] if len(parts) == 1 else b"".join(parts)
