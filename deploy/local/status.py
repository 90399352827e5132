"""Status of the local stack: processes and replicas' metrics in, rows of a table out."""

import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from deploy.local.stack import Stack


@dataclass(frozen=True)
class Row:
    """One process; what only replicas have is empty for the others."""

    name: str
    state: str
    pid: int
    uptime_seconds: int
    port: int | None = None
    models: tuple[str, ...] = ()
    requests: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row for machines."""
        return asdict(self)


def read_status(stack: Stack) -> list[Row]:
    """Return a row for each process, replicas first."""
    rows = []
    replicas = stack.replicas()
    for process in stack.supervisor.processes():
        uptime = int(time.time()) - process.started if process.pid else 0
        row = Row(process.name, process.state.lower(), process.pid, uptime)
        if process.name in replicas:
            port = stack.settings.replica_port + int(process.name.rpartition("-")[2]) - 1
            row = Row(row.name, row.state, row.pid, row.uptime_seconds, port, *_scrape(port))
        rows.append(row)
    return sorted(rows, key=lambda row: (row.port is None, row.port or 0, row.name))


def _scrape(port: int) -> tuple[tuple[str, ...], int | None]:
    """Return the versions that a replica holds and the requests that it has answered."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as reply:
            text = reply.read().decode()
    except (URLError, OSError):
        return (), None
    models, requests = [], 0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "flotilla_model_info":
                models.append(f"{sample.labels['model']}/{sample.labels['version']}")
            elif sample.name == "flotilla_requests_total":
                requests += int(sample.value)
    return tuple(models), requests
