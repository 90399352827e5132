"""The key of a cached row: what identifies an answer goes in, 16 bytes come out.

Model, version digest and requested outputs are hashed first, each with its length before it, then
the row's canonical bytes. BLAKE2b with 128 bits (RFC 7693): two different inputs sharing a key would
take some 2^64 rows, however large each of them is.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from service.manifest import Manifest
from service.rows import Rows

KEY_PREFIX = b"flotilla:1:"  # 1: the format of the values, see predict.py


class RowKeys:
    """Makes the keys of one version's rows."""

    def __init__(self, manifest: Manifest) -> None:
        self._identity = (manifest.name, manifest.digest, manifest.engine)
        self._started: dict[tuple[str, ...], Any] = {}

    def of(self, rows: Rows, outputs: tuple[str, ...]) -> list[bytes]:
        """Return one key for each row."""
        start = self._started.get(outputs)
        if start is None:
            start = self._started[outputs] = _hash_of((*self._identity, *outputs))
        keys = []
        for row in rows.canonical():
            digest = start.copy()
            digest.update(row)
            keys.append(KEY_PREFIX + digest.digest())
        return keys


def _hash_of(parts: Sequence[str]) -> Any:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(len(parts).to_bytes(4, "big"))
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest
