"""What a protocol reads from a body: made by `decode`, handed to the core and back to `encode`."""

from dataclasses import dataclass
from typing import NamedTuple

from service.rows import Rows


@dataclass(slots=True)
class Asked:
    """Rows, the outputs wanted for them, and the client's own id for the request.

    `binary` names those of the outputs that go back as bytes behind the JSON; only V2 knows such.
    """

    rows: Rows
    outputs: tuple[str, ...]
    id: str | None = None
    binary: tuple[str, ...] = ()


class BinaryReply(NamedTuple):
    """A reply whose first `json_size` bytes are JSON and whose others are tensors."""

    body: bytes
    json_size: int
