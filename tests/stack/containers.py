"""The stack in containers as the tests drive it: docker compose, and faults by way of the engine."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.supervisor import wait_until
from tests.stack.stack import free_ports

ROOT = Path(__file__).resolve().parents[2]
DEBIAN_IMAGES = ROOT / "deploy" / "debian" / "images.env"


class ComposeStack:
    """A stack of its own: a compose project with its own ports, registry folder and service image."""

    def __init__(self, **settings: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="flotilla-"))
        self.project = f"flotilla-{secrets.token_hex(4)}"
        self.registry = self.home / "registry"
        self.reports = self.home / "reports"
        self.feedback = self.home / "feedback"
        folders = (self.registry, self.reports, self.feedback)
        for folder in folders:
            folder.mkdir()
        # Nobody in a container is root, so the folder isn't root's either.
        user, group = (os.getuid(), os.getgid()) if os.getuid() else (1000, 1000)
        for folder in folders:
            os.chown(folder, user, group)
        self.http_port, self.prometheus_port, grafana = free_ports(3, 27000)
        self.alertmanager_port = self.prometheus_port + 7
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.prometheus_url = f"http://127.0.0.1:{self.prometheus_port}"
        self.alertmanager_url = f"http://127.0.0.1:{self.alertmanager_port}"
        self.settings = {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_ENV_FILES": str(DEBIAN_IMAGES if _built_here() else os.devnull),
            "SERVICE_IMAGE": f"{self.project}/service",
            "REGISTRY": str(self.registry),
            "REPORTS": str(self.reports),
            "FEEDBACK": str(self.feedback),
            "FLOTILLA_UID": str(user),
            "FLOTILLA_GID": str(group),
            "HTTP_ADDRESS": "127.0.0.1",
            "HTTP_PORT": str(self.http_port),
            "PROMETHEUS_PORT": str(self.prometheus_port),
            "ALERTMANAGER_PORT": str(self.alertmanager_port),
            "GRAFANA_PORT": str(grafana),
            "LOCUST_PORT": str(grafana + 1),
            "REPLICAS": "2",
            **settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Return that of a command which is about this stack, with its settings as they are now."""
        return {**os.environ, "FLOTILLA_HOME": str(self.home), **self.settings}

    def __enter__(self) -> "ComposeStack":
        try:
            self.up("--build")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")
            made = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{self.project}/*")
            if made:
                docker("image", "rm", *made.split())
        finally:
            shutil.rmtree(self.home)

    def up(self, *words: str) -> None:
        """Start what isn't running, and wait until a request would be answered."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "180", *words)

    def compose(self, *words: str) -> str:
        """Run a command of docker compose and return what it printed."""
        return self.run("docker", "compose", *words).stdout

    def flotilla(self, *words: str, expect: int = 0) -> str:
        """Run a command of the CLI on the host, and return what it printed."""
        done = self.run(sys.executable, "-m", "deploy", *words, expect=expect)
        return done.stdout + done.stderr

    def audit(self, expect: int = 0) -> dict:
        """Run the audit in a container, as the README says, and return what it says to machines."""
        words = ("run", "--rm", "flotilla", "audit", "--json")
        return json.loads(self.run("docker", "compose", *words, expect=expect).stdout)

    def ask_directly(self, name: str, path: str, body: bytes) -> None:
        """Send a replica a request past nginx, from inside its container."""
        ask = (
            "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8000);"
            "c.request('POST', sys.argv[1], sys.argv[2], {'Content-Type': 'application/json'});"
            "c.getresponse().read()"
        )
        docker("exec", name, "python", "-c", ask, path, body.decode())

    def run(self, *command: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command with this stack's settings; fail where it doesn't exit as expected."""
        return _run(*command, environment=self.environment, expect=expect)

    def containers(self, service: str | None = None) -> list[str]:
        """Return the ids, as host names are made of them, of all containers or those of a service."""
        labels = [f"label=com.docker.compose.project={self.project}"]
        if service:
            labels.append(f"label=com.docker.compose.service={service}")
        filters = [word for label in labels for word in ("--filter", label)]
        return docker("ps", "--all", "--format", "{{.ID}}", *filters).split()

    def replicas(self) -> set[str]:
        """Return the names of the replicas, which are their containers' ids."""
        return set(self.containers("service"))

    def scale(self, replicas: int) -> None:
        """Scale as the README says."""
        self.up("--scale", f"service={replicas}")

    def kill(self, name: str) -> None:
        """End a container's first process without a warning; return once it is back and healthy."""
        container = self.container(name)
        old = inspect(container)["State"]["Pid"]
        # `docker kill` would count as a wish of the user, and the engine would not start it again.
        # Whoever runs the tests need not be root, nor on the engine's machine: a container can do it.
        as_root = ("--user", "0", "--pid", "host", "--network", "none")
        command = ("--entrypoint", "sh", self.settings["SERVICE_IMAGE"], "-c", f"kill -9 {old}")
        docker("run", "--rm", *as_root, *command)

        def back() -> bool:
            state = inspect(container)["State"]
            return state["Pid"] not in (0, old) and healthy(state)

        assert wait_until(back, 60), f"{name} isn't back: {inspect(container)['State']}"

    @contextmanager
    def hung(self, name: str) -> Iterator[None]:
        """Let a container neither answer nor end."""
        docker("pause", self.container(name))
        try:
            yield
        finally:
            docker("unpause", self.container(name))

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """End a container and keep it from coming back; start it again afterwards."""
        docker("stop", self.container(name))
        try:
            yield
        finally:
            docker("start", self.container(name))

    def container(self, name: str) -> str:
        """Return the container of a replica, or of a service that has one."""
        return name if name in self.replicas() else self.containers(name)[0]

    def access_log(self) -> str:
        """Return nginx's access log, and whatever else it has said."""
        return self.compose("logs", "--no-log-prefix", "nginx")


def docker(*words: str, stdin: str = "") -> str:
    """Run a command of docker and return what it printed."""
    return _run("docker", *words, stdin=stdin).stdout


def inspect(container: str) -> dict:
    """Return everything that the engine knows about a container."""
    return json.loads(docker("container", "inspect", container))[0]


def healthy(state: dict) -> bool:
    """Tell whether a container runs and its health check, where it has one, succeeds."""
    return state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy"


def _built_here() -> bool:
    """Tell whether deploy/debian/build has made its images; else the official ones are used."""
    return bool(docker("image", "ls", "--quiet", "flotilla-debian/nginx"))


def _run(
    *command: str, environment: dict[str, str] | None = None, expect: int = 0, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == expect, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done
