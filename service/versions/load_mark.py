"""What remembers, across a worker's death, which version it was loading: bytes that all share.

A model can end the process that opens it: a library that crashes, more memory than there is.
gunicorn then starts the next worker, which would do the same again, and again.
"""

import mmap
import time

import msgspec
from msgspec import Struct

from service.versions.wanted import Key

SIZE_BYTES = 4096
# How long a version that ended the process isn't tried again: it may have been something else's fault.
# Twice as long each time, because each time costs the requests that the worker has.
REST_SECONDS, MOST_REST_SECONDS = 60.0, 3600.0


class _Memory(Struct):
    loading: Key | None = None
    # "model/version": when, of the system's monotonic clock, and how often
    died: dict[str, tuple[float, int]] = {}


class LoadMark:
    """Make it before the fork, for it to be shared with every worker after."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, SIZE_BYTES)  # anonymous and shared: it outlives whoever writes it

    def begin(self, key: Key) -> None:
        """Note that a version is being loaded."""
        memory = self._read()
        memory.loading = key
        self._write(memory)

    def end(self) -> None:
        """Note that loading went well, or failed as it should."""
        memory = self._read()
        memory.loading = None
        self._write(memory)

    def inherit(self) -> Key | None:
        """Return what the worker before was loading when it died; called once by each worker."""
        memory = self._read()
        key = memory.loading
        if key:
            memory.loading = None
            _, times = memory.died.get("/".join(key), (0.0, 0))
            memory.died["/".join(key)] = (time.monotonic(), times + 1)
            self._write(memory)
        return key

    def deadly(self, key: Key) -> bool:
        """Tell whether a version lately ended the process that loaded it."""
        died, times = self._read().died.get("/".join(key), (0.0, 0))
        rest = min(REST_SECONDS * 2 ** (times - 1), MOST_REST_SECONDS)
        return bool(times) and time.monotonic() - died < rest

    def _read(self) -> _Memory:
        text = self._shared[:].rstrip(b"\0")
        try:
            return msgspec.json.decode(text, type=_Memory) if text else _Memory()
        except msgspec.MsgspecError:
            return _Memory()  # the worker died while it wrote

    def _write(self, memory: _Memory) -> None:
        encoded = msgspec.json.encode(memory)
        if len(encoded) > SIZE_BYTES:
            memory.died.clear()
            encoded = msgspec.json.encode(memory)
        self._shared[:] = encoded.ljust(SIZE_BYTES, b"\0")
