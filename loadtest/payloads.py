"""What is asked, and what must come back: a published version comes in, requests with answers go out.

Rows are those of the version's own sample, and the right answer to each is scikit-learn's, computed
from the published model: what serves is checked against what was trained. Locust's scenarios and the
generator send them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

# Stands in a body for a number that differs in each request; as wide as what replaces it.
MARK = b"@@@@@@@@@"


class Template(Struct, frozen=True):
    """One request: its body, with `MARK` where a number of nine characters goes, and its answers."""

    body: bytes
    expected: list[Any]  # `predictions`, one for each row


class Payloads(Struct, frozen=True, kw_only=True):
    """Requests for one version of a model; `path` is the URL's."""

    model: str
    version: int
    path: str
    unique: bool
    rows: int  # of each request
    templates: list[Template]


def make_payloads(version: Path, *, rows: int = 1, unique: bool = True, most: int = 2000) -> Payloads:
    """Return requests for the published version in a folder, at most `most` different ones.

    With `unique` each body has a mark, and a request is never asked for twice. Raises `Refused` where
    the model has no number that could tell two rows apart, naming what to do instead.
    """
    raise NotImplementedError


def right(payload_expected: Sequence[Any], predictions: Any) -> bool:
    """Tell whether the predictions of a reply are the expected ones, numbers within 1e-4."""
    raise NotImplementedError


def write(payloads: Payloads, path: Path) -> None:
    """Write payloads for a process of the generator."""
    path.write_bytes(msgspec.msgpack.encode(payloads))


def read(path: Path) -> Payloads:
    """Read what `write` has written."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Payloads)
