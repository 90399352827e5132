"""The stack that a sweep measures: what it asks of one, and which one runs here.

`docker.py` and `local.py` are the two there are. A stack remembers how it was found, so that it can be
left like that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from deploy.errors import Refused
from deploy.local.settings import LocalSettings

Say = Callable[[str], None]


class Stack(Protocol):
    """Replicas behind nginx, with Redis and Prometheus.

    `address` is the "host:port" to connect to, `host` the Host header, `prometheus` a URL. A replica's
    name is what X-Replica says.
    """

    kind: Literal["docker", "local"]
    address: str
    host: str
    prometheus: str
    most_replicas: int

    def replicas(self) -> list[str]:
        """Return the names of the replicas that run."""

    def scale(self, replicas: int, say: Say) -> None:
        """Run so many replicas; return when all are ready, raise `Refused` where they don't get so."""

    def check_limit(self, cpus: float | None) -> None:
        """Raise `Refused` where replicas can't be given so many CPUs."""

    def limit(self, cpus: float | None) -> None:
        """Give each replica so many CPUs at most, None: what it had."""

    def parts(self) -> dict[str, int]:
        """Return the first process, on this host, of "nginx", "redis" and each replica.

        Empty where the stack's processes aren't on this host.
        """

    def prometheus_replica(self, name: str) -> str:
        """Return what Prometheus' label `replica` says for a replica."""

    def version_folder(self, model: str) -> Path:
        """Return the folder, on this host, of the version that answers for a model.

        Raises `Refused` where there is no such model, or several versions answer.
        """

    def hardware(self) -> dict[str, str]:
        """Return what figures depend on and only the stack knows, by name."""

    def restore(self, say: Say) -> None:
        """Leave replicas and quotas as they were found; raise `Refused` where that can't be done."""

    def close(self) -> None:
        """Remove what was copied."""


def find_stack(wanted: str | None, settings: LocalSettings) -> Stack:
    """Return the stack that runs, or the wanted one of "docker" and "local".

    Raises `Refused` where it doesn't run, or both do and nobody said which.
    """
    from loadtest.sweep.docker import DockerStack
    from loadtest.sweep.local import LocalStack

    kinds: dict[str, Callable[[], Stack]] = {
        "docker": DockerStack,
        "local": lambda: LocalStack(settings),
    }
    if wanted is not None:
        return kinds[wanted]()
    found: list[Stack] = []
    reasons = []
    for each in kinds.values():
        try:
            found.append(each())
        except Refused as reason:
            reasons.append(str(reason))
    if len(found) > 1:
        for stack in found:
            stack.close()
        raise Refused("two stacks run, in containers and without: --stack docker or --stack local")
    if not found:
        raise Refused(f"no stack runs that could be measured: {'; '.join(reasons)}")
    return found[0]
