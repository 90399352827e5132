"""What the local stack needs of the machine: programs on it and ports that are free."""

import os
import shutil
import socket
from collections.abc import Iterable

from deploy.errors import Refused

# Program and the Debian or Ubuntu package that holds it.
PACKAGES = {"nginx": "nginx", "redis-server": "redis-server", "prometheus": "prometheus"}
# What only watches: the stack runs without them. Programs and packages have the same names.
WATCHERS = ("prometheus-nginx-exporter", "prometheus-redis-exporter", "prometheus-alertmanager")


def find_programs() -> dict[str, str]:
    """Return the path of each program that is there; raise `Refused` naming what to install."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = {name: shutil.which(name, path=path) for name in (*PACKAGES, *WATCHERS)}
    missing = [package for name, package in PACKAGES.items() if found[name] is None]
    if missing:
        raise Refused(
            f"the stack needs {', '.join(missing)}; on Debian or Ubuntu: "
            f"sudo apt-get install {' '.join(missing)}"
        )
    return {name: place for name, place in found.items() if place is not None}


def check_ports(ports: Iterable[tuple[str, int, str]]) -> None:
    """Raise `Refused` for the first (address, port, setting) on which somebody listens already."""
    for address, port, setting in ports:
        with socket.socket() as probe:
            # As the servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise Refused(
                    f"port {port} on {address} can't be used ({error.strerror}); "
                    f"choose another one with {setting}"
                ) from error
