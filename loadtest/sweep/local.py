"""The stack without Docker as a sweep drives it: the same object as `flotilla scale` uses."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from deploy.errors import Refused
from deploy.local.settings import MOST_REPLICAS, LocalSettings
from deploy.local.stack import Stack
from loadtest.sweep.interrupts import held
from loadtest.sweep.live import live_version
from loadtest.sweep.stack import Say


class LocalStack:
    """The stack in FLOTILLA_HOME; raises `Refused` where it doesn't run."""

    kind: Literal["docker", "local"] = "local"
    most_replicas = MOST_REPLICAS

    def __init__(self, settings: LocalSettings) -> None:
        self._stack = Stack(settings)
        if not self._stack.supervisor.running:
            raise Refused(f"no stack runs in {self._stack.home}; start it with: flotilla up")
        door = urlsplit(settings.url)
        self.address = self.host = f"{door.hostname}:{door.port or 80}"
        self.prometheus = settings.prometheus
        self._before = len(self._stack.replicas())

    def replicas(self) -> list[str]:
        """Return the names of the replicas that run."""
        wanted = self._stack.replicas()
        processes = self._stack.supervisor.processes()
        return [each.name for each in processes if each.pid and each.name in wanted]

    def scale(self, replicas: int, say: Say) -> None:
        """Start or end replicas. Not left half-way: what is written and what runs would differ."""
        with held():
            self._stack.scale(replicas, say)

    def check_limit(self, cpus: float | None) -> None:
        """Refuse any quota: without containers there is none."""
        if cpus is not None:
            raise Refused(
                "--cpus needs containers: a process can't be given a share of a core without its own "
                "cgroup. `make up-docker` starts them; without --cpus replicas share the cores"
            )

    def limit(self, cpus: float | None) -> None:
        """Leave replicas as they are."""
        self.check_limit(cpus)

    def parts(self) -> dict[str, int]:
        """Return the first process of nginx, Redis and each replica."""
        wanted = {"nginx", "redis", *self._stack.replicas()}
        processes = self._stack.supervisor.processes()
        return {each.name: each.pid for each in processes if each.pid and each.name in wanted}

    def prometheus_replica(self, name: str) -> str:
        """Return the name itself: it is the label as well."""
        return name

    def version_folder(self, model: str) -> Path:
        """Return the version's own folder in the registry."""
        return self._stack.registry / model / live_version(self._stack.registry, model)

    def hardware(self) -> dict[str, str]:
        """Return nothing: there is nothing but the machine."""
        return {}

    def restore(self, say: Say) -> None:
        """Run as many replicas as there were."""
        if len(self._stack.replicas()) != self._before:
            self._stack.scale(self._before, say)

    def close(self) -> None:
        """Nothing was copied."""
