"""The stack in containers as a sweep drives it: the compose project of the current folder.

Quotas are set on running containers, once they are ready: at a fifth of a core a replica would take a
minute to start. https://docs.docker.com/reference/cli/docker/container/update/
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

from deploy.errors import Refused
from loadtest.sweep import engine
from loadtest.sweep.engine import docker, service_of, short_id
from loadtest.sweep.live import live_version
from loadtest.sweep.stack import Say
from service.versions.route import ROUTES

NGINX_PORT, PROMETHEUS_PORT = 8080, 9090
REGISTRY = "/flotilla/registry"
START_SECONDS, START_SECONDS_EACH = 120, 15
NANO = 1e9


class DockerStack:
    """The compose project of the current folder; raises `Refused` where it doesn't run."""

    kind: Literal["docker", "local"] = "docker"
    most_replicas = 200

    def __init__(self) -> None:
        self._quotas: dict[str, int] = {}  # NanoCpus as they were found, by container
        self._copies = Path(tempfile.mkdtemp(prefix="flotilla-sweep-"))
        try:
            nginx = self._only("nginx")
            host, port = engine.published(nginx, NGINX_PORT)
            self.host = f"{host}:{port}"
            self.address = _direct(nginx) or self.host
            host, port = engine.published(self._only("prometheus"), PROMETHEUS_PORT)
            self.prometheus = f"http://{host}:{port}"
            self._before = len(self.replicas())
            self._cores = engine.cores()
            if not self._before:
                raise Refused("no replica runs in the compose project of this folder")
        except BaseException:
            self.close()
            raise

    def replicas(self) -> list[str]:
        """Return the short ids of the containers that are replicas."""
        return [short_id(each) for each in self._services("service")]

    def scale(self, replicas: int, say: Say) -> None:
        """Have compose start or end containers; what else runs is neither built nor made anew."""
        say(f"docker compose up --scale service={replicas}")
        seconds = START_SECONDS + START_SECONDS_EACH * replicas
        keep = ("--no-recreate", "--no-deps", "--no-build")
        wait = ("--detach", "--wait", "--wait-timeout", str(seconds))
        scale = ("--scale", f"service={replicas}", "service")
        docker("compose", "up", *wait, *keep, *scale, patience_seconds=2 * seconds)
        running = self._services("service")
        if len(running) != replicas:
            raise Refused(f"{len(running)} replicas run instead of {replicas}")
        if len({each["Image"] for each in running}) > 1:
            raise Refused("the replicas are of different images; docker compose up makes them alike")

    def check_limit(self, cpus: float | None) -> None:
        """Refuse more than there are, as the engine would."""
        if cpus is not None and cpus > self._cores:
            raise Refused(f"--cpus {cpus:g}: the engine has {self._cores}")

    def limit(self, cpus: float | None) -> None:
        """Set the quota of each replica, None: as it was found."""
        running = self._services("service")
        for each in running:
            self._quotas.setdefault(each["Id"], each["HostConfig"]["NanoCpus"])
        for each in running:
            wanted = self._quotas[each["Id"]] if cpus is None else round(cpus * NANO)
            # The engine takes 0 for "leave it"; all cores are as good as no quota.
            wanted = wanted or round(self._cores * NANO)
            if (each["HostConfig"]["NanoCpus"] or round(self._cores * NANO)) != wanted:
                docker("container", "update", "--cpus", f"{wanted / NANO:.9f}", each["Id"])

    def parts(self) -> dict[str, int]:
        """Return the first process of nginx, Redis and each replica, where they are on this host."""
        found = {
            short_id(each) if service_of(each) == "service" else service_of(each): each
            for each in engine.containers()
            if service_of(each) in ("nginx", "redis", "service")
        }
        here = all(map(engine.is_here, found.values()))
        return {name: each["State"]["Pid"] for name, each in found.items()} if here else {}

    def prometheus_replica(self, name: str) -> str:
        """Return a replica's address, by which Prometheus calls it."""
        for each in self._services("service"):
            if short_id(each) == name:
                return next(filter(None, _addresses(each)), "")
        raise Refused(f"replica {name} is gone")

    def version_folder(self, model: str) -> Path:
        """Copy the version that answers out of a replica, and return the copy."""
        replica = self.replicas()[0]
        route = self._copies / ROUTES / model / "current"
        route.mkdir(parents=True, exist_ok=True)
        try:
            docker("cp", f"{replica}:{REGISTRY}/{ROUTES}/{model}/current/route.json", str(route))
        except Refused as error:
            raise Refused(f"no model {model!r} is served: {error}") from error
        version = live_version(self._copies, model)
        folder = self._copies / model / version
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            docker("cp", f"{replica}:{REGISTRY}/{model}/{version}", str(folder))
        return folder

    def hardware(self) -> dict[str, str]:
        """Return the engine's version and the replicas' image."""
        return {
            "docker": docker("version", "--format", "{{.Server.Version}}").strip(),
            "image": str(self._services("service")[0]["Image"]).removeprefix("sha256:")[:12],
        }

    def restore(self, say: Say) -> None:
        """Give each replica its quota back, then run as many as there were."""
        self.limit(None)
        if len(self.replicas()) != self._before:
            self.scale(self._before, say)

    def close(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self._copies, ignore_errors=True)

    def _services(self, name: str) -> list[dict[str, Any]]:
        found = [each for each in engine.containers() if service_of(each) == name]
        return sorted(found, key=lambda each: str(each["Created"]))

    def _only(self, name: str) -> dict[str, Any]:
        for each in self._services(name):
            return each
        raise Refused(f"no container of {name} runs in the compose project of this folder")


def _direct(nginx: dict[str, Any]) -> str:
    """Return nginx's own address where this host reaches it, else nothing.

    A published port leads through a process of Docker's that copies every byte, on the same cores.
    """
    reached = (each for each in _addresses(nginx) if each and engine.answers(each, NGINX_PORT))
    return next((f"{each}:{NGINX_PORT}" for each in reached), "")


def _addresses(container: dict[str, Any]) -> list[str]:
    return [each["IPAddress"] for each in container["NetworkSettings"]["Networks"].values()]
