"""The supervisor: starts, watches and ends the processes of the local stack.

supervisord (http://supervisord.org) does the work; this is how the commands talk to it.
"""

import os
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.errors import Refused

SOCKET_PATH_LIMIT = 100  # of the 107 bytes that a Unix socket's address has, the rest for ".1234"


@dataclass(frozen=True)
class Process:
    """A supervised process as the supervisor sees it; `started` is a Unix time."""

    name: str
    state: str
    pid: int
    started: int


class Supervisor:
    """The supervisor of the stack in one folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = home / "run" / "supervisor.sock"
        if len(str(self._socket)) > SOCKET_PATH_LIMIT:
            raise Refused(
                f"{home}: the path is too long for a Unix socket; set FLOTILLA_HOME to a folder "
                f"with at most {SOCKET_PATH_LIMIT - len('/run/supervisor.sock')} characters"
            )

    @property
    def running(self) -> bool:
        """Whether a supervisor answers."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def start(self) -> None:
        """Start the supervisor, which starts all programs that are written."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", "supervisord.conf"]
        done = subprocess.run(command, cwd=self._home, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Refused(f"supervisord didn't start: {done.stderr.strip() or done.stdout.strip()}")

    def stop(self) -> None:
        """End all processes and the supervisor itself, and wait until it is gone."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        if not wait_until(lambda: not _alive(pid), 60):
            raise Refused(f"the supervisor (process {pid}) doesn't end; see its log")

    def processes(self) -> list[Process]:
        """Return all processes."""
        return [
            Process(each["name"], each["statename"], each["pid"], each["start"])
            for each in self._call("getAllProcessInfo")
        ]

    def add(self, name: str) -> None:
        """Start a program that has been written."""
        self._call("reloadConfig")
        self._call("addProcessGroup", name)

    def remove(self, name: str) -> None:
        """End a program gracefully and forget it; its file has been removed."""
        self._call("reloadConfig")
        self._call("stopProcessGroup", name)
        self._call("removeProcessGroup", name)

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def wait_until(condition: Callable[[], bool], seconds: float, every_seconds: float = 0.1) -> bool:
    """Ask until the condition holds, and return True; return False when the time is over."""
    return any(condition() for _ in ticks(seconds, every_seconds))


def ticks(seconds: float, every_seconds: float = 0.1) -> Iterator[float]:
    """Yield the seconds gone by, at once and then again and again, until the time is over."""
    start = time.monotonic()
    clock = threading.Event()
    while (gone := time.monotonic() - start) < seconds:
        yield gone
        clock.wait(every_seconds)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
