"""What Prometheus looks at in the local stack: addresses come in, files that it reads again go out.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
"""

from pathlib import Path
from typing import Any

import msgspec

from deploy.local.settings import LocalSettings

Targets = list[dict[str, Any]]


def write_targets(home: Path, settings: LocalSettings, replicas: int) -> None:
    """Tell Prometheus which replicas there are, and where the door's counter is."""
    write_target_file(
        home / "prometheus" / "targets" / "replicas.json",
        [
            {
                "targets": [f"127.0.0.1:{settings.replica_port + number}"],
                "labels": {"replica": f"replica-{number + 1}"},
            }
            for number in range(replicas)
        ],
    )
    write_target_file(
        home / "prometheus" / "targets" / "door.json", [target("door", settings.door_port)]
    )


def target(job: str, port: int) -> dict[str, Any]:
    """Return the target of a job that isn't the replicas'."""
    return {"targets": [f"127.0.0.1:{port}"], "labels": {"job": job}}


def write_target_file(path: Path, targets: Targets) -> None:
    """Replace a file at once: Prometheus may read it at any moment."""
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(targets))
    beside.rename(path)
