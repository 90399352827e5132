"""Requests as they come from the server: headers picked out, the body read no further than allowed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from service.errors import BadInput, BodyTooLarge, FlotillaError, WrongContentType
from service.request import (
    PREDICTION_PATH,
    Headers,
    Target,
    check_content,
    read_body,
    read_headers,
    timeout_ms,
)

JSON = Headers(content_type=b"application/json")
MOST_BYTES = 10
V1, V2 = Target("v1", "m", ""), Target("v2", "m", "")


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
    for target in (V1, V2):
        assert check_content(Headers(content_type=content_type.encode()), target) == 0


def test_v2_needs_no_type() -> None:
    """NVIDIA's client says no type, and is understood."""
    assert check_content(Headers(), V2) == 0


BINARY = Headers(content_type=b"application/octet-stream", json_size=b"120")


@pytest.mark.parametrize("kind", [b"application/octet-stream", b"application/json", b""])
def test_binary_is_taken_by_v2(kind: bytes) -> None:
    """A V2 body may begin with so many bytes of JSON, whatever the type says."""
    assert check_content(BINARY._replace(content_type=kind), V2) == 120


@pytest.mark.parametrize(
    ("headers", "target", "error", "message"),
    [
        (Headers(), "v1", WrongContentType, "Content-Type: expected application/json, got none"),
        (
            Headers(b"text/csv"),
            "v2",
            WrongContentType,
            "Content-Type: expected application/json, got t",
        ),
        (Headers(b"application/jsonx"), "v1", WrongContentType, "Content-Type: expected application/j"),
        (Headers(b"application/octet-stream"), "v2", WrongContentType, "Content-Type: expected appl"),
        (BINARY, "v1", WrongContentType, "Content-Type: expected application/json, got application/o"),
        (JSON._replace(json_size=b"9"), "v1", BadInput, "Inference-Header-Content-Length: binary tens"),
        (BINARY._replace(content_type=b"text/csv"), "v2", WrongContentType, "Content-Type: expected"),
        (
            JSON._replace(content_encoding=b"gzip"),
            "v1",
            WrongContentType,
            "Content-Encoding: expected n",
        ),
        (
            BINARY._replace(json_size=b"0"),
            "v2",
            BadInput,
            "Inference-Header-Content-Length: expected a",
        ),
        (
            BINARY._replace(json_size=b"-1"),
            "v2",
            BadInput,
            "Inference-Header-Content-Length: expected a",
        ),
        (
            BINARY._replace(json_size=b"1e3"),
            "v2",
            BadInput,
            "Inference-Header-Content-Length: expected",
        ),
    ],
)
def test_other_content(headers: Headers, target: str, error: type[FlotillaError], message: str) -> None:
    """Another type, a compressed body or a length that is none is refused."""
    with pytest.raises(error) as refused:
        check_content(headers, Target(target, "m", ""))
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


@pytest.mark.parametrize(
    ("path", "protocol", "model", "version"),
    [
        ("/v1/models/digits:predict", "v1", "digits", None),
        ("/v1/models/digits/versions/3:predict", "v1", "digits", "3"),
        ("/v2/models/digits/infer", "v2", "digits", None),
        ("/v2/models/digits/versions/3/infer", "v2", "digits", "3"),
        ("/v2/models/predict/infer", "v2", "predict", None),
        ("/v1/models/house-prices.v2_1:predict", "v1", "house-prices.v2_1", None),
    ],
)
def test_prediction_path(path: str, protocol: str, model: str, version: str | None) -> None:
    """A prediction path names its protocol, its model and, if it does, a version."""
    match = PREDICTION_PATH.fullmatch(path)
    assert match is not None
    assert Target.of(match) == (protocol, model, version or "")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/models",
        "/v1/models/digits",
        "/v1/models/digits/infer",
        "/v2/models/digits:predict",
        "/v2/models/digits",
        "/v2/models/digits/ready",
        "/v3/models/digits:predict",
        "/v1/models/:predict",
        "/v2/models//infer",
        "/v1/models/a/b:predict",
        "/v1/models/digits/versions/:predict",
        "/v1/models/digits/versions/1/2:predict",
        "/v1/models/digits:explain",
        "/v1/models/digits:predict/",
        "/v1/models/digits:predict\n",
        "/x/v1/models/digits:predict",
        "/metrics",
    ],
)
def test_any_other_path(path: str) -> None:
    """Every other path is Flask's."""
    assert PREDICTION_PATH.fullmatch(path) is None
