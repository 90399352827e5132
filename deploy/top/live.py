"""The loop of `flotilla top`: figures come in again and again, a screen goes out, until q or Ctrl-C.

The terminal is lent: its other screen, its cursor and its way of reading keys are given back however
this ends.
"""

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console, RenderableType
from rich.live import Live

QUIT = b"q"

Paint = Callable[[], RenderableType]


def watch(console: Console, paint: Paint, every_seconds: float) -> None:
    """Show what `paint` returns every so many seconds, until somebody presses q or Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                began = time.monotonic()
                live.update(paint(), refresh=True)
                if pressed(began + every_seconds):
                    return
    except KeyboardInterrupt:
        return


@contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """Read keys as they are pressed; yield what waits until a monotonic time and tells if one was q.

    Any other key ends the wait: the screen is painted anew.
    """
    if not sys.stdin.isatty():

        def rest(until: float) -> bool:
            time.sleep(max(0.0, until - time.monotonic()))
            return False

        yield rest
        return
    terminal = sys.stdin.fileno()

    def pressed(until: float) -> bool:
        left = max(0.0, until - time.monotonic())
        ready, _, _ = select.select([sys.stdin], [], [], left)
        if not ready:
            return False
        found = os.read(terminal, 100)
        return not found or QUIT in found.lower()  # nothing to read: the terminal is gone

    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)  # keys at once and unseen; Ctrl-C still interrupts
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as with Ctrl-C: the terminal has to be given back."""
    raise KeyboardInterrupt
