"""Docker's command line: words come in, what it prints goes out. `docker.py` calls.

Commands run in a session of their own: Ctrl-C is for the sweep, which then puts things in order.
"""

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from deploy.errors import Refused

PATIENCE_SECONDS = 60.0
LAST_LINES = 3


def docker(*words: str, patience_seconds: float = PATIENCE_SECONDS) -> str:
    """Run a command of docker in the current folder and return what it prints.

    Raises `Refused` with its own last lines where it fails or takes too long.
    """
    try:
        done = subprocess.run(
            ["docker", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_seconds,
            start_new_session=True,
        )
    except OSError as error:
        raise Refused(f"docker can't be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Refused(f"docker {words[0]} took more than {patience_seconds:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-LAST_LINES:]
        raise Refused(f"docker {' '.join(words[:2])}: {' '.join(said) or done.returncode}")
    return done.stdout


def containers() -> list[dict[str, Any]]:
    """Return what the engine knows of each running container of the folder's compose project."""
    ids = docker("compose", "ps", "--quiet").split()
    found: list[dict[str, Any]] = json.loads(docker("container", "inspect", *ids)) if ids else []
    return found


def service_of(container: dict[str, Any]) -> str:
    """Return the compose service that a container is of."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def short_id(container: dict[str, Any]) -> str:
    """Return a container's short id, which is its host name and so what X-Replica says."""
    return str(container["Id"])[:12]


def is_here(container: dict[str, Any]) -> bool:
    """Tell whether a container's first process is one of this host, not of a virtual machine's."""
    try:
        groups = Path(f"/proc/{container['State']['Pid']}/cgroup").read_text()
    except OSError:
        return False
    return container["Id"] in groups


def answers(address: str, port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def published(container: dict[str, Any], port: int) -> tuple[str, int]:
    """Return the address and port of this host behind which a container's port is.

    Raises `Refused` where it isn't published.
    """
    for each in container["NetworkSettings"]["Ports"].get(f"{port}/tcp") or ():
        host = each["HostIp"]
        return ("127.0.0.1" if host in ("", "0.0.0.0", "::") else host), int(each["HostPort"])  # noqa: S104
    raise Refused(f"port {port} of {service_of(container)} isn't published")


def cores() -> int:
    """Return the engine's own processors."""
    return int(docker("info", "--format", "{{.NCPU}}").strip() or os.cpu_count() or 1)
