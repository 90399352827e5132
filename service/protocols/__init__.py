"""Protocols: bytes come in and checked rows go out, columns come in and bytes go out. Pure functions.

A codec is made once for each loaded version and protocol, so that its decoder knows the signature.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from service.protocols.asked import Asked, BinaryReply
from service.protocols.v1 import V1
from service.protocols.v2 import V2

__all__ = ["V1", "V2", "Asked", "BinaryReply", "Codec"]


class Codec(Protocol):
    """A protocol, bound to one loaded version."""

    name: str

    def decode(self, body: bytes, json_size: int = 0) -> Asked:
        """Return what a body asks for; raise `BadInput` naming what is wrong.

        `json_size` bytes of it are JSON and the rest is binary; 0: all of it is JSON.
        """

    def encode(self, asked: Asked, columns: Mapping[str, list[Any]]) -> bytes | BinaryReply:
        """Return the reply's body; a `BinaryReply` only where the client asked for one."""
