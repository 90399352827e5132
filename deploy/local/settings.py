"""Settings of the local stack: the environment comes in, one typed object goes out."""

from dataclasses import dataclass
from pathlib import Path

from service.settings import Environment, setting

MOST_REPLICAS = 48


@dataclass(frozen=True)
class LocalSettings(Environment):
    """Where the local stack lives and listens."""

    flotilla_home: Path = setting(Path(".flotilla"), "Folder of the registry, logs and sockets.")
    http_address: str = setting("127.0.0.1", "Address on which nginx listens.")
    http_port: int = setting(8080, "Port on which nginx listens.", 1, 65535)
    prometheus_port: int = setting(9090, "Port of Prometheus, on 127.0.0.1.", 1, 65535)
    replica_port: int = setting(9101, "Port of the first replica, on 127.0.0.1.", 1, 65000)
    replicas: int = setting(2, "How many replicas `flotilla up` starts.", 1, MOST_REPLICAS)
