"""Whether a reply is right: a template and a reply come in, a sentence goes out where it is wrong.

A right body is remembered for each template: the same bytes again need not be decoded again.
"""

from typing import Any

import msgspec
from msgspec import Struct

from loadtest.generator.reply import Reply
from loadtest.payloads import Payloads, right

SHOWN_BYTES = 200


class Answer(Struct):
    """What matters of a reply's JSON."""

    predictions: Any = None


class Check:
    """Checks replies to the requests that payloads make."""

    def __init__(self, payloads: Payloads) -> None:
        """Take the payloads; of version 0 nothing is said, as from a server that has none."""
        self._expected = [each.expected for each in payloads.templates]
        self._version = str(payloads.version).encode() if payloads.version else None
        self._right_bodies: list[bytes | None] = [None] * len(self._expected)
        self._decode = msgspec.json.Decoder(Answer).decode

    def wrong(self, place: int, reply: Reply) -> str | None:
        """Return what is wrong with a reply to the template at a place, None where nothing is."""
        labels, body = reply.labels, reply.body
        if labels.status != 200:
            return f"status {labels.status}: {body[:SHOWN_BYTES]!r}"
        if self._version is not None and labels.version != self._version:
            said = labels.version.decode("latin-1") or "none"
            return f"X-Model-Version {said}, expected {self._version.decode()}"
        if body == self._right_bodies[place]:
            return None
        try:
            predictions = self._decode(body).predictions
        except msgspec.MsgspecError as error:
            return f"no predictions ({error}): {body[:SHOWN_BYTES]!r}"
        expected = self._expected[place]
        if not right(expected, predictions):
            return f"predictions {predictions!r:.200}, expected {expected!r:.200}"
        self._right_bodies[place] = body
        return None
