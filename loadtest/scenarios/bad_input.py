"""Bad requests, each with the 4xx that it must get and what its error must name: a table.

A 4xx that is due is a success; a 200 would be a wrong answer, a 5xx a fault.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

JSON = "application/json"


class Sent(NamedTuple):
    """What goes out."""

    path: str
    body: bytes
    content_type: str = JSON
    method: str = "POST"


class Bad(NamedTuple):
    """A kind of bad request, made of a right one; `names` is what the error's sentence begins with.

    `{model}` in it stands for the model's name.
    """

    kind: str
    status: int
    names: str
    make: Callable[[str, bytes], Sent]


def _appended(body: bytes) -> bytes:
    """Return the request with one row more, which is none."""
    return body[: body.rindex(b"]")] + b", true]}"


def _version(path: str) -> str:
    return path.replace(":predict", "/versions/999999999:predict")


BAD: tuple[Bad, ...] = (
    Bad("cut off", 400, "body:", lambda path, body: Sent(path, body[: len(body) // 2])),
    Bad("nothing at all", 400, "body:", lambda path, body: Sent(path, b"")),
    Bad("no instances", 400, "body:", lambda path, body: Sent(path, b'{"rows": []}')),
    Bad("no rows", 400, "instances:", lambda path, body: Sent(path, b'{"instances": []}')),
    Bad("no row", 400, "instances[0]:", lambda path, body: Sent(path, b'{"instances": [true]}')),
    Bad("one bad row", 400, "instances[1]", lambda path, body: Sent(path, _appended(body))),
    Bad("declared as text", 415, "Content-Type:", lambda path, body: Sent(path, body, "text/plain")),
    Bad(
        "no such model",
        404,
        "no model 'nobody'",
        lambda _, body: Sent("/v1/models/nobody:predict", body),
    ),
    Bad("no such version", 404, "{model} version", lambda path, body: Sent(_version(path), body)),
    Bad("GET", 405, "/v1/models/", lambda path, body: Sent(path, b"", method="GET")),
)


def wrong(bad: Bad, model: str, status: int, content: bytes) -> str | None:
    """Return what is wrong with the reply to a bad request, None for the right refusal."""
    if status != bad.status:
        return f"{bad.kind}: status {status} instead of {bad.status}: {content[:120]!r}"
    try:
        error = msgspec.json.decode(content)["error"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"{bad.kind}: no JSON with an error: {content[:120]!r}"
    names = bad.names.format(model=model)
    if not isinstance(error, str) or not error.startswith(names):
        return f"{bad.kind}: the error doesn't name {names!r}: {content[:120]!r}"
    return None
