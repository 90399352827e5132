"""Ctrl-C and its likes: where they end something, and where they have to wait."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

# A terminal that is closed and a `kill` are meant as Ctrl-C is.
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stops:
    """Within its context the first of these signals raises KeyboardInterrupt, further ones do nothing.

    So what has to be put in order afterwards, in the same context, is not interrupted itself. Under
    `nohup` a closed terminal ends nothing.
    """

    def __init__(self) -> None:
        self._hold = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in _heeded()}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        """From now on the first one does nothing either."""
        self._hold = True

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._hold:
            self._hold = True
            raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Let these signals wait until the block is left."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def _heeded() -> list[signal.Signals]:
    under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in STOPS if not (number == signal.SIGHUP and under_nohup)]
