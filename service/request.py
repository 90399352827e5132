"""A prediction request as HTTP has it: its path and headers come in, what they ask for goes out."""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from posixpath import normpath
from typing import Any, NamedTuple

from service.errors import BadInput, BodyTooLarge, WrongContentType

# As nginx/identity.conf has it: what can't do harm in a log or in a header.
_HARMLESS_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREDICTION_PATH = re.compile(
    r"/(?P<protocol>v1(?=.*:predict$)|v2(?=.*/infer$))/models/(?P<model>[^/:]+)"
    r"(?:/versions/(?P<version>[^/:]+))?(?::predict|/infer)"
)
_SLASHES = re.compile("/{2,}")


def prediction_path(path: str) -> re.Match[str] | None:
    """Return what a path names where it is a prediction's, written as plainly as nginx reads it.

    nginx takes `//v1/models/…` and `/./` for the plain path and sends on what came: it must be the same
    request here, or one would answer from its cache what the other calls unknown.
    """
    if "//" in path or "/." in path:
        path = normpath(_SLASHES.sub("/", path)) + "/" * path.endswith("/")
    return PREDICTION_PATH.fullmatch(path)


class Target(NamedTuple):
    """What the path names; `version` is empty where it names none."""

    protocol: str
    model: str
    version: str

    @classmethod
    def of(cls, path: re.Match[str]) -> "Target":
        """Return the target of a matched path."""
        return cls(path["protocol"], path["model"], path["version"] or "")


class Headers(NamedTuple):
    """The headers that matter for a prediction."""

    content_type: bytes = b""
    content_encoding: bytes = b""
    content_length: bytes = b"0"
    model_version: bytes = b""
    timeout_ms: bytes = b""
    json_size: bytes = b""
    traceparent: bytes = b""


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Pick out the headers that matter; their names come in lower case."""
    get = dict(raw).get
    return Headers(
        get(b"content-type", b""),
        get(b"content-encoding", b""),
        get(b"content-length", b"0"),
        get(b"x-model-version", b""),
        get(b"x-request-timeout-ms", b""),
        get(b"inference-header-content-length", b""),
        get(b"traceparent", b""),
    )


def harmless(request_id: bytes) -> str:
    """Return a request's id where it may be shown, else nothing."""
    return request_id.decode() if _HARMLESS_ID.fullmatch(request_id) else ""


def timeout_ms(headers: Headers, most: int) -> int:
    """Return how long the client would wait, at most `most`; raise `BadInput` if it isn't a time."""
    digits = headers.timeout_ms
    if not digits:
        return most
    if not (digits.isdigit() and len(digits) < 10 and int(digits)):
        came = digits.decode("latin-1")[:20]
        raise BadInput(
            f"X-Request-Timeout-Ms: expected a whole number of milliseconds above 0, got {came!r}"
        )
    return min(most, int(digits))


def check_content(headers: Headers, target: Target) -> int:
    """Return how many bytes of JSON begin a body with binary tensors, 0 where all of it is JSON.

    Raises `WrongContentType`, or `BadInput` for a length that is none. A V2 client need not say a type:
    the reference client doesn't.
    """
    plain = not headers.content_encoding and not headers.json_size
    if headers.content_type == b"application/json" and plain:
        return 0
    if headers.content_encoding:
        came = headers.content_encoding.decode("latin-1")[:20]
        raise WrongContentType(f"Content-Encoding: expected none, got {came}")
    kind = headers.content_type.partition(b";")[0].strip().lower()
    kinds = [b"application/json"]
    if target.protocol == "v2":
        kinds += [b"", b"application/octet-stream"] if headers.json_size else [b""]
    if kind not in kinds:
        came = kind.decode("latin-1")[:60] or "none"
        raise WrongContentType(f"Content-Type: expected application/json, got {came}")
    return _json_size(headers, target)


def _json_size(headers: Headers, target: Target) -> int:
    size = headers.json_size
    if not size:
        return 0
    if target.protocol != "v2":
        raise BadInput("Inference-Header-Content-Length: binary tensors are for the V2 protocol")
    if not (size.isdigit() and len(size) < 10 and int(size)):
        came = size.decode("latin-1")[:20]
        raise BadInput(
            f"Inference-Header-Content-Length: expected a whole number of bytes above 0, got {came!r}"
        )
    return int(size)


async def read_body(headers: Headers, receive: Receive, most_bytes: int) -> bytes:
    """Return the body; raise `BodyTooLarge` without reading all of it."""
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
