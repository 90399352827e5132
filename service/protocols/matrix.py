"""The quick way for rows of numbers: a V1 body comes in, an array goes out, no object for a number.

simdjson refuses what isn't JSON and what a double can't hold; the rest of the signature is checked
here. Whatever is in doubt is left to msgspec, which decides, and words the refusal. Without pysimdjson,
which has no wheels for Python 3.14, msgspec reads every body.
"""

from typing import Any

import numpy as np

from service.protocols.asked import Asked
from service.rows import TensorRows
from service.signature import Signature

# The parser keeps up to 14 bytes for each byte of the largest body that it has read.
MAX_BYTES = 2**20


def _new_parser() -> Any:
    try:
        from simdjson import Parser
    except ImportError:
        return None
    return Parser(max_capacity=MAX_BYTES)


# One for the replica. It parses nothing while a part of the last body is alive: only `read` has one.
_PARSER = _new_parser()


class MatrixReader:
    """Reads the bodies for one tensor model."""

    def __init__(self, signature: Signature, max_rows: int) -> None:
        self._select = signature.select
        self._first_output = signature.select(())
        self._width = signature.width
        self._max_rows = max_rows
        self._gaps = signature.inputs[0].nullable

    def read(self, body: bytes) -> Asked | None:
        """Return what a body asks for, or None where msgspec has to look at it."""
        # simdjson skips a byte order mark, which msgspec refuses. A plain body is ASCII anyway.
        if _PARSER is None or not body.isascii():
            return None
        # simdjson would read all of it, and then refuse. (One byte is found ten times as fast as four.)
        if self._gaps and b"l" in body and b"null" in body:
            return None
        try:
            return self._read(_PARSER.parse(body), body)
        except Exception:  # of many kinds, and msgspec finds the words for each of them
            return None

    def _read(self, request: Any, body: bytes) -> Asked | None:
        names = [*request]  # one that is given twice is here twice
        chosen = names.count("outputs")
        if names.count("instances") + names.count("inputs") != 1 or chosen > 1:
            return None
        rows = request["instances" if "instances" in names else "inputs"]
        count = len(rows)
        if not 1 <= count <= self._max_rows or [*map(len, rows)].count(self._width) != count:
            return None
        # `as_buffer` refuses what isn't a number, but flattens: [1, [2], 3] would pass for [1, 2, 3].
        # So every bracket must be of a list that we know. (`count` takes ten times as long.)
        if len(body) - len(body.replace(b"[", b"")) != 1 + count + chosen:
            return None
        values = np.ndarray((count, self._width), np.float64, rows.as_buffer(of_type="d"))
        outputs = self._select(request["outputs"].as_list()) if chosen else self._first_output
        return Asked(TensorRows(values), outputs)
