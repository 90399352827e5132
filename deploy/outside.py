"""A look from outside: one prediction through the door, as a client would ask for it.

After a route was changed this is what tells that it is the route that clients get.
"""

import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import BadZipFile

import msgspec

from service.example import example_rows
from service.manifest import BrokenVersion, read_manifest

TRIES = 5
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 10.0


class Seen(NamedTuple):
    """What a client sees: status (0: nobody answered), the version, the reply or what went wrong."""

    status: int
    version: str
    words: str


def example_body(registry: Path, model: str, version: str) -> bytes | None:
    """Return a request with the first row of a version's sample, None where that can't be read."""
    folder = registry / model / version
    try:
        rows = example_rows(folder, read_manifest(folder).signature, 1)
    except (BrokenVersion, BadZipFile, OSError, ValueError, LookupError, EOFError):
        return None  # damaged or deleted by hand; replicas hold it
    return msgspec.json.encode({"instances": rows})


def look(url: str, model: str, body: bytes, headers: Mapping[str, str]) -> Seen:
    """Ask for a prediction that no edge cache may answer; again only where nobody had time for it."""
    seen = Seen(0, "", "")
    for _ in range(TRIES):
        seen = _ask(f"{url}/v1/models/{model}:predict", body, headers)
        if seen.status not in (0, 429, 503, 504):
            break
        time.sleep(PAUSE_SECONDS)
    return seen


def answers(url: str) -> bool:
    """Tell whether there are replicas behind an address."""
    try:
        with urlopen(f"{url}/health/ready", timeout=PATIENCE_SECONDS) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (OSError, HTTPException):  # an HTTPError is an OSError
        return False


def _ask(url: str, body: bytes, headers: Mapping[str, str]) -> Seen:
    kind = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
    request = Request(url, body, {**kind, **headers})  # noqa: S310  # the stack's own address
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310
            return Seen(reply.status, reply.headers["X-Model-Version"] or "", _text(reply.read()))
    except HTTPError as error:
        return Seen(error.code, error.headers["X-Model-Version"] or "", _text(error.read()))
    except (OSError, HTTPException) as error:  # the latter where it isn't HTTP that is spoken there
        return Seen(0, "", str(getattr(error, "reason", error)) or type(error).__name__)


def _text(body: bytes) -> str:
    return body.decode(errors="replace")
