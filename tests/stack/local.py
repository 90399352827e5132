"""The local stack as the tests drive it: the commands that a user types, and signals as faults."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from deploy.local.keeper import answers
from deploy.local.supervisor import Process, Supervisor, wait_until


class LocalStack:
    """A stack of its own, in a folder and on ports of its own."""

    def __init__(self, replicas: int = 2, samples: str = "all", **settings: str) -> None:
        # Short, because Unix sockets live in it.
        self.home = Path(tempfile.mkdtemp(prefix="flotilla-"))
        http, prometheus, replica = free_ports(3)
        self._environment = {
            **os.environ,
            "FLOTILLA_HOME": str(self.home),
            "HTTP_PORT": str(http),
            "PROMETHEUS_PORT": str(prometheus),
            "REPLICA_PORT": str(replica),
            **settings,
        }
        self.url = f"http://127.0.0.1:{http}"
        self.prometheus_url = f"http://127.0.0.1:{prometheus}"
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
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        output = done.stdout + done.stderr
        assert done.returncode == expect, f"flotilla {' '.join(words)}: {output}"
        return output

    def processes(self) -> dict[str, Process]:
        """Return the supervised processes by name."""
        return {each.name: each for each in Supervisor(self.home).processes()}

    def replicas(self) -> set[str]:
        """Return the names of the replicas that run."""
        return {name for name in self.processes() if name.startswith("replica-")}

    def scale(self, replicas: int) -> None:
        """Scale and return when that is done."""
        self.flotilla("scale", str(replicas))

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and its children."""
        os.killpg(self.processes()[name].pid, number)

    def kill(self, name: str) -> None:
        """End a process and its children without a warning."""
        self.signal(name, signal.SIGKILL)

    def stop_redis(self) -> None:
        """End Redis and keep it from coming back."""
        self.supervisor("stop", "redis")

    def start_redis(self) -> None:
        """Start it again."""
        self.supervisor("start", "redis")

    def supervisor(self, *words: str) -> None:
        """Tell the supervisor something that `flotilla` has no command for."""
        command = [sys.executable, "-m", "supervisor.supervisorctl"]
        subprocess.run(
            [*command, "-c", str(self.home / "supervisord.conf"), *words],
            check=True,
            capture_output=True,
        )

    def wait_until_back(self, name: str, old_pid: int, seconds: float = 30) -> None:
        """Wait until a process runs anew and, if it is a replica, is ready."""

        def back() -> bool:
            process = self.processes()[name]
            if process.state != "RUNNING" or process.pid == old_pid:
                return False
            if not name.startswith("replica-"):
                return True
            return answers(str(self.home / "run" / f"{name}.sock"), "/health/ready")

        assert wait_until(back, seconds), f"{name} isn't back: {self.processes()[name]}"


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, each with ten free ones after it."""
    found: list[int] = []
    for first in range(21000, 32000, 16):
        with ExitStack() as probes:
            try:
                for port in range(first, first + 10):
                    probe = probes.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(first)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")
