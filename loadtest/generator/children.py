"""The generator's processes, seen from their parent: started, told when to begin, read, ended.

Each has its own session, so that Ctrl-C reaches the parent alone, which then ends them by their ids.
Should it be killed instead, their input ends, and they with it.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from deploy.errors import Refused
from loadtest.generator.account import Counted
from loadtest.generator.plan import Plan
from loadtest.generator.process import READY, Share

ROOT = Path(__file__).resolve().parents[2]
MODULE = "loadtest.generator.process"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
CHUNK_BYTES = 64 << 10


@contextmanager
def children(plan: Plan) -> Iterator[list["Child"]]:
    """Start all processes of a plan; they are ready when the context begins, gone when it ends."""
    with ExitStack() as stack:
        started: list[Child] = []
        for index in range(plan.processes):
            started.append(Child(plan, index))
            stack.callback(started[-1].end)
        deadline = time.perf_counter() + START_SECONDS
        for child in started:
            child.wait_until_ready(deadline)
        yield started


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


class Child:
    """One process."""

    def __init__(self, plan: Plan, index: int) -> None:
        """Start it and tell it what it has to do."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        pipes = self._process.stdin, self._process.stdout, self._process.stderr
        self._input, self._output, self._errors = map(_there, pipes)
        self._tell(msgspec.json.encode(Share(plan, index)))

    @property
    def pid(self) -> int:
        """Return its id."""
        return self._process.pid

    def wait_until_ready(self, deadline: float) -> None:
        """Wait until its connections are open; raise `Refused` where that fails, with its reason."""
        if self._read(deadline) != READY:
            raise self._refused()

    def begin(self, at: float) -> None:
        """Tell it when to begin, as `time.perf_counter` counts."""
        self._tell(repr(at).encode())

    def counted(self, deadline: float) -> Counted:
        """Wait until it has ended, and return what it has counted; raise `Refused` where it fails."""
        output = b"".join(iter(lambda: self._read(deadline), b""))
        if self._process.wait(STOP_SECONDS) != 0:
            raise self._refused()
        return msgspec.msgpack.decode(output, type=Counted)

    def end(self) -> None:
        """End it, in whatever state it is."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._input, self._output, self._errors):
            with suppress(BrokenPipeError):  # it ended before it read all
                pipe.close()

    def _tell(self, line: bytes) -> None:
        try:
            self._input.write(line + b"\n")
            self._input.flush()
        except BrokenPipeError as error:
            raise self._refused() from error

    def _read(self, deadline: float) -> bytes:
        """Return what comes next; empty at the end. Raises `Refused` when nothing comes in time."""
        left = max(0.0, deadline - time.perf_counter())
        if not select.select([self._output], (), (), left)[0]:
            raise Refused(f"process {self.pid} of the generator has hung, and was ended")
        return os.read(self._output.fileno(), CHUNK_BYTES)

    def _refused(self) -> Refused:
        """Return why it ended, in its own last words."""
        self._process.wait(STOP_SECONDS)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return Refused(lines[-1] if lines else f"a process of the generator ended: {self.pid}")
