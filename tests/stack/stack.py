"""What a scenario needs of a running stack, whether it runs in containers or not."""

import socket
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from tests.stack.ask import ask


class Stack(Protocol):
    """Two replicas behind nginx, Redis and Prometheus, with all samples.

    A `name` is a replica's, as X-Replica gives it, or "redis" or "prometheus".
    """

    url: str
    prometheus_url: str
    alertmanager_url: str
    registry: Path
    environment: dict[str, str]  # of a command that is about this stack

    def flotilla(self, *words: str, expect: int = 0) -> str:
        """Run a command and return what it printed; fail where it doesn't exit as expected."""

    def audit(self, expect: int = 0) -> dict:
        """Run the audit where it finds everything, and return what it says to machines."""

    def ask_directly(self, name: str, path: str, body: bytes) -> None:
        """Send a replica a request past nginx."""

    def replicas(self) -> set[str]:
        """Return the names of the replicas that run."""

    def scale(self, replicas: int) -> None:
        """Scale and return when that is done."""

    def kill(self, name: str) -> None:
        """End a process without a warning and return once it is back by itself and ready."""

    def hung(self, name: str) -> AbstractContextManager[None]:
        """Let a process neither answer nor end."""

    def stopped(self, name: str) -> AbstractContextManager[None]:
        """End a process and keep it from coming back; start it again afterwards."""

    def access_log(self) -> str:
        """Return nginx's access log."""


def scraped(stack: Stack) -> list[str]:
    """Return the health of each replica that Prometheus knows: "up", "down" or "unknown"."""
    targets = ask(stack.prometheus_url, "GET", "/api/v1/targets").json["data"]["activeTargets"]
    return [each["health"] for each in targets if each["labels"]["job"] == "service"]


def free_ports(count: int, first: int) -> list[int]:
    """Return ports from `first` on that were free a moment ago, each with ten free ones after it."""
    found: list[int] = []
    for candidate in range(first, 32000, 16):
        with ExitStack() as probes:
            try:
                for port in range(candidate, candidate + 10):
                    probe = probes.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(candidate)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")
