"""What looks on while a version answers: after each reply it gets the rows and what was answered.

Asked by `service.exchange` on the event loop, when the client has its reply; attached by
`service.replica`. An observer hands its work to a thread of its own at once: a request takes 28 µs of
Python in all.
"""

from typing import Protocol

from service.inference import Columns
from service.rows import Rows


class Observer(Protocol):
    """Looks on while one version answers."""

    def observe(self, request_id: bytes, rows: Rows, columns: Columns) -> None:
        """Take note of one request. `columns` has a list of answers, one a row, for each output asked.

        Must not change any of it, not wait, and not raise. `request_id` is empty where none was given.
        """
