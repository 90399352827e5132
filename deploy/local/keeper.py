"""The keeper: a small process that lets nginx's slots lead only to replicas that answer.

What nginx's open-source edition lacks: health checks of its own. A replica is admitted once it is
ready and dropped when it no longer answers; asked four times a second over its socket. The keeper
also turns nginx's access log over before it fills the disk.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.local.slots import point_slots, served_sockets
from service.log_lines import write_lines

log = logging.getLogger("keeper")

EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 1.0
MAX_LOG_BYTES = 64 << 20


class SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def get(path: str, url: str) -> tuple[int, str]:
    """Return status and body of a GET at a replica's socket, or 0 and why there is none."""
    connection = SocketConnection(path, PATIENCE_SECONDS)
    try:
        connection.request("GET", url)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except (OSError, HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def answers(path: str, url: str) -> bool:
    """Tell whether the replica at a socket answers `url` with 200 in time."""
    return get(path, url)[0] == 200


def keep_slots(home: Path, ask: Callable[[str, str], bool] = answers) -> None:
    """Look at every wanted replica once, and point the slots to those that can serve."""
    run = home / "run"
    wanted = sorted(each.stem for each in (home / "programs").glob("replica-*.conf"))
    serving = served_sockets(run)
    admitted = []
    for name in wanted:
        # One that serves stays while it lives, even when it is busy loading a new version.
        url = "/health/live" if f"{name}.sock" in serving else "/health/ready"
        if ask(f"run/{name}.sock", url):
            admitted.append(f"{name}.sock")
    point_slots(run, admitted)
    now = served_sockets(run)
    for name in sorted(now - serving):
        log.info("a replica is admitted", extra={"replica": name.removesuffix(".sock")})
    for name in sorted(serving - now):
        log.warning("a replica is left out", extra={"replica": name.removesuffix(".sock")})


def turn_log_over(home: Path, most_bytes: int = MAX_LOG_BYTES) -> None:
    """Rename nginx's access log when it is large, and let nginx open a new one."""
    log, pid_file = home / "logs" / "access.log", home / "run" / "nginx.pid"
    try:
        if log.stat().st_size < most_bytes:
            return
        log.rename(log.with_suffix(".log.1"))
        os.kill(int(pid_file.read_text()), signal.SIGUSR1)
    except (OSError, ValueError):
        return  # nginx isn't running, or the log isn't there yet


def main() -> None:
    """Keep the slots of the stack in the current folder until told to stop."""
    write_lines("info", (log.name,))
    home = Path()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.wait(EVERY_SECONDS):
        keep_slots(home)
        turn_log_over(home)


if __name__ == "__main__":
    main()
