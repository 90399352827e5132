"""What a protocol reads from a body: made by `decode`, handed to the core and back to `encode`."""

from dataclasses import dataclass

from service.rows import Rows


@dataclass(slots=True)
class Asked:
    """Rows, the outputs wanted for them, and the client's own id for the request."""

    rows: Rows
    outputs: tuple[str, ...]
    id: str | None = None
