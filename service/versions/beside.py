"""How a version is loaded beside what serves: a thread's long work, and requests that hardly notice.

With scikit-learn coming into a live replica (3.8 s), p99 of the others' requests was 51 ms, without
garbage collection 7.5, and with short turns of the interpreter 4.7; while nothing happens it is 1.8.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Whoever waits for the interpreter gets it after this. Default: 5 ms; `service.worker` has 0.5.
SWITCH_SECONDS = 0.0001


@contextmanager
def beside_requests() -> Iterator[None]:
    """Make the block's thread give way to the event loop. For one thread at a time.

    A full collection walks over all that the libraries bring, with the interpreter held; what is
    loaded stays anyway.
    """
    before = sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.enable()
