"""The local stack as a whole: up, down, scale. Called by the command line."""

import shutil
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException

from deploy.errors import Refused
from deploy.local.edge import remove_edge_folder
from deploy.local.files import write_files, write_replica
from deploy.local.machine import check_ports, find_programs
from deploy.local.settings import LocalSettings
from deploy.local.slots import served_sockets
from deploy.local.supervisor import Supervisor, wait_until
from deploy.local.targets import write_targets
from deploy.local.watchers import watcher_ports, without

START_SECONDS = 120
SCALE_SECONDS = 60

Say = Callable[[str], None]


class Stack:
    """The stack in the folder FLOTILLA_HOME."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self.home = settings.flotilla_home.resolve()
        self.url = settings.url
        self.registry = self.home / "registry"
        self.supervisor = Supervisor(self.home)

    def replicas(self) -> list[str]:
        """Return the names of the replicas that are wanted, in order."""
        names = [each.stem for each in (self.home / "programs").glob("replica-*.conf")]
        return sorted(names, key=lambda name: int(name.rpartition("-")[2]))

    def up(self, replicas: int, samples: Sequence[str], say: Say) -> None:
        """Start everything and return when requests are answered; raise `Refused` and end it."""
        from deploy.samples.__main__ import publish_samples  # imports scikit-learn: a second

        programs = find_programs()
        self._check_ports(replicas)
        check_ports(watcher_ports(self.settings, programs))
        if lacking := without(programs):
            say(lacking)
        write_files(self.home, self.settings, programs)
        publish_samples(self.registry, samples, say)
        for number in range(1, replicas + 1):
            write_replica(self.home, self.settings, number)
        write_targets(self.home, self.settings, replicas)
        self.supervisor.start()
        try:
            say(f"starting {replicas} replicas, nginx, Redis and Prometheus")
            self._wait_for(self.replicas(), START_SECONDS)
            if not wait_until(lambda: _answers(self.url), SCALE_SECONDS):
                raise Refused(f"nginx doesn't answer at {self.url}; see `flotilla logs nginx`")
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End everything; the registry, the logs and Prometheus' data stay."""
        self.supervisor.stop()
        remove_edge_folder(self.home)
        for folder in ("run", "nginx", "programs"):
            shutil.rmtree(self.home / folder)
        shutil.rmtree(self.settings.reports, ignore_errors=True)
        (self.home / "supervisord.conf").unlink()

    def purge(self) -> None:
        """Remove the whole folder, published models included."""
        shutil.rmtree(self.home, ignore_errors=True)

    def scale(self, replicas: int, say: Say) -> None:
        """Start or end replicas; nginx follows without a lost request."""
        names = self.replicas()
        wanted = [f"replica-{number}" for number in range(1, replicas + 1)]
        self._check_ports(replicas, first=len(names))
        for name in wanted[len(names) :]:
            write_replica(self.home, self.settings, int(name.rpartition("-")[2]))
            self.supervisor.add(name)
            say(f"started {name}")
        leaving = names[replicas:]
        for name in leaving:
            (self.home / "programs" / f"{name}.conf").unlink()
        # A new one serves once it is ready; one that leaves first gets no more connections.
        self._wait_for(wanted, START_SECONDS)
        write_targets(self.home, self.settings, replicas)
        for name in leaving:
            self.supervisor.remove(name)
            say(f"ended {name}")

    def _check_ports(self, replicas: int, first: int = 0) -> None:
        settings = self.settings
        ports = [
            ("127.0.0.1", settings.replica_port + number, "REPLICA_PORT")
            for number in range(first, replicas)
        ]
        if first == 0:
            ports.insert(0, (settings.http_address, settings.http_port, "HTTP_PORT"))
            ports.insert(1, ("127.0.0.1", settings.prometheus_port, "PROMETHEUS_PORT"))
            ports.insert(2, ("127.0.0.1", settings.door_port, "DOOR_PORT"))
        check_ports(ports)

    def _wait_for(self, names: Sequence[str], seconds: float) -> None:
        """Wait until the slots lead to these replicas, which is when they are ready, and no other."""
        sockets = {f"{name}.sock" for name in names}
        run = self.home / "run"
        if not wait_until(lambda: served_sockets(run) == sockets, seconds):
            odd = sorted(socket.removesuffix(".sock") for socket in sockets ^ served_sockets(run))
            raise Refused(
                f"after {seconds} s nginx doesn't use exactly the replicas it should; it is about "
                f"{', '.join(odd)}: see `flotilla logs {odd[0]}` and its /health/ready"
            )


def _answers(url: str) -> bool:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=1)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
