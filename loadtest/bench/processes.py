"""Start processes and end every one of them, by its id, also when the bench is interrupted.

In: a command, its environment, a log. Out: the process while its context lasts. `servers.py` calls.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300
STOP_SECONDS = 15
POLL_SECONDS = 0.1
# The kernel takes the ports of outgoing connections from above these.
FIRST_PORT, LAST_PORT, PORTS_PER_BLOCK = 20000, 32000, 40
# Threads of two processes that fight for a few cores would be measured instead of the servers.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

Process = subprocess.Popen[bytes]


class StartError(Exception):
    """Something didn't start; the message ends with the last lines that it printed."""


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Process]:
    """Run a process from the project's root; end it and what it started on leaving."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the bench, which then ends things in order
        )
    try:
        yield process
    finally:
        with uninterrupted():
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def run_to_end(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a process until it ends by itself; raise StartError when it failed."""
    with running(command, environment, log) as process:
        code = process.wait(START_SECONDS)
    if code:
        raise StartError(f"{' '.join(command)}: exit code {code}\n{_end_of(log)}")


def output_of(
    module: str,
    *arguments: str,
    patience_seconds: float,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Run one of our modules in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD, **(environment or {})},
        capture_output=True,
        check=False,
        timeout=patience_seconds,
    )
    if done.returncode:
        raise StartError(f"{module}: exit code {done.returncode}\n{done.stderr.decode()[-2000:]}")
    return done.stdout


def program(name: str) -> str:
    """Return the path of a program; raise StartError where it is missing."""
    # Debian keeps nginx where only root's PATH looks.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise StartError(f"the benchmark needs {name}: apt-get install {name}")
    return found


def wait_for(
    process: Process, port: int, path: str, log: Path, poll_seconds: float = POLL_SECONDS
) -> None:
    """Wait until a GET is answered with 200; raise StartError when that doesn't come."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass  # it is still on its way up
        finally:
            connection.close()
        time.sleep(poll_seconds)
    raise StartError(f"nothing answers GET {path} on port {port}\n{_end_of(log)}")


def free_ports() -> int:
    """Return the first of 40 ports in a row that nobody has."""
    for first in range(FIRST_PORT, LAST_PORT, PORTS_PER_BLOCK):
        with ExitStack() as sockets:
            try:
                for port in range(first, first + PORTS_PER_BLOCK):
                    sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise StartError(f"no {PORTS_PER_BLOCK} free ports in a row from {FIRST_PORT} to {LAST_PORT}")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore signals to stop while something is being stopped."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _end_of(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
