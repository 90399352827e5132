"""The local stack as the tests drive it: the commands that a user types, and signals as faults."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.keeper import SocketConnection, answers
from deploy.local.supervisor import Process, Supervisor, wait_until
from tests.stack.stack import free_ports


class LocalStack:
    """A stack of its own, in a folder and on ports of its own."""

    def __init__(self, replicas: int = 2, samples: str = "all", **settings: str) -> None:
        # Short, because Unix sockets live in it.
        self.home = Path(tempfile.mkdtemp(prefix="flotilla-"))
        self.registry = self.home / "registry"
        http, prometheus, replica = free_ports(3, 21000)
        self.environment = {
            **os.environ,
            "FLOTILLA_HOME": str(self.home),
            "HTTP_PORT": str(http),
            "PROMETHEUS_PORT": str(prometheus),
            "REPLICA_PORT": str(replica),
            "ALERTMANAGER_PORT": str(prometheus + 7),
            "NGINX_EXPORTER_PORT": str(prometheus + 8),
            "REDIS_EXPORTER_PORT": str(prometheus + 9),
            "DOOR_PORT": str(http + 1),
            **settings,
        }
        self.url = f"http://127.0.0.1:{http}"
        self.prometheus_url = f"http://127.0.0.1:{prometheus}"
        self.alertmanager_url = f"http://127.0.0.1:{prometheus + 7}"
        self.up_output = ""
        self._up = ["up", "--replicas", str(replicas), "--samples", samples]

    def __enter__(self) -> "LocalStack":
        try:
            self.up_output = self.flotilla(*self._up)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.flotilla("down")
        shutil.rmtree(self.home)

    def flotilla(self, *words: str, expect: int = 0) -> str:
        """Run a command and return what it printed; fail where it doesn't exit as expected."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        output = done.stdout + done.stderr
        assert done.returncode == expect, f"flotilla {' '.join(words)}: {output}"
        return output

    def audit(self, expect: int = 0) -> dict:
        """Run the audit, and return what it says to machines."""
        return json.loads(self.flotilla("audit", "--json", expect=expect))

    def ask_directly(self, name: str, path: str, body: bytes) -> None:
        """Send a replica a request past nginx."""
        connection = SocketConnection(str(self.home / "run" / f"{name}.sock"), 10)
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        connection.close()

    def processes(self) -> dict[str, Process]:
        """Return the supervised processes by name."""
        return {each.name: each for each in Supervisor(self.home).processes()}

    def replicas(self) -> set[str]:
        """Return the names of the replicas that run."""
        return {name for name in self.processes() if name.startswith("replica-")}

    def scale(self, replicas: int) -> None:
        """Scale and return when that is done."""
        self.flotilla("scale", str(replicas))

    def kill(self, name: str) -> None:
        """End a process and its children without a warning and return once it is back and ready."""
        old = self.processes()[name].pid
        os.killpg(old, signal.SIGKILL)

        def back() -> bool:
            process = self.processes()[name]
            if process.state != "RUNNING" or process.pid == old:
                return False
            if not name.startswith("replica-"):
                return True
            return answers(str(self.home / "run" / f"{name}.sock"), "/health/ready")

        assert wait_until(back, 30), f"{name} isn't back: {self.processes()[name]}"

    @contextmanager
    def hung(self, name: str) -> Iterator[None]:
        """Let a process and its children neither answer nor end."""
        pid = self.processes()[name].pid
        os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(pid, signal.SIGCONT)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """End a process and keep it from coming back; start it again afterwards."""
        self._supervisor("stop", name)
        try:
            yield
        finally:
            self._supervisor("start", name)

    def _supervisor(self, *words: str) -> None:
        """Tell the supervisor something that `flotilla` has no command for."""
        command = [sys.executable, "-m", "supervisor.supervisorctl"]
        subprocess.run(
            [*command, "-c", str(self.home / "supervisord.conf"), *words],
            check=True,
            capture_output=True,
        )

    def access_log(self) -> str:
        """Return nginx's access log."""
        return (self.home / "logs" / "access.log").read_text()
