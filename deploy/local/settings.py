"""Settings of the local stack: the environment comes in, one typed object goes out."""

from dataclasses import dataclass
from pathlib import Path

from service.settings import Environment, setting

MOST_REPLICAS = 48
NGINX_SIZE = "[0-9]+[km]"


@dataclass(frozen=True)
class LocalSettings(Environment):
    """Where the local stack lives and listens."""

    flotilla_home: Path = setting(Path(".flotilla"), "Folder of the registry, logs and sockets.")
    reports_dir: str = setting("", "Where replicas report; empty: reports/ in FLOTILLA_HOME.")
    feedback_dir: str = setting("", "Where labels are kept; empty: feedback/ in FLOTILLA_HOME.")
    flotilla_url: str = setting(
        "",
        "Where clients find nginx, if it isn't HTTP_ADDRESS:HTTP_PORT.",
        starts=("http://", "https://"),
    )
    prometheus_url: str = setting(
        "", "Where Prometheus is, if it isn't on 127.0.0.1.", starts=("http://", "https://")
    )
    door_url: str = setting(
        "", "Where the door's counter is, if it isn't on 127.0.0.1.", starts=("http://", "https://")
    )
    replicas_url: str = setting(
        "",
        "Name of which each address is a replica's, if they aren't on 127.0.0.1.",
        starts=("http://",),
    )
    http_address: str = setting("127.0.0.1", "Address on which nginx listens.")
    http_port: int = setting(8080, "Port on which nginx listens.", 1, 65535)
    prometheus_port: int = setting(9090, "Port of Prometheus, on 127.0.0.1.", 1, 65535)
    alertmanager_port: int = setting(9093, "Port of Alertmanager, on 127.0.0.1.", 1, 65535)
    nginx_exporter_port: int = setting(9095, "Port of nginx's exporter, on 127.0.0.1.", 1, 65535)
    redis_exporter_port: int = setting(9096, "Port of Redis' exporter, on 127.0.0.1.", 1, 65535)
    alert_webhook_url: str = setting(
        "", "Where Alertmanager sends alerts; empty: nowhere.", starts=("http://", "https://")
    )
    door_port: int = setting(9099, "Port of the door's counter, on 127.0.0.1.", 1, 65535)
    replica_port: int = setting(9101, "Port of the first replica, on 127.0.0.1.", 1, 65000)
    edge_cache_size: str = setting("64m", "How much the edge cache may keep.", form=NGINX_SIZE)
    edge_cache_keys: str = setting("64m", "Memory for its keys, 128 bytes each.", form=NGINX_SIZE)
    edge_cache_ttl_seconds: int = setting(10, "How long nginx keeps what nobody asks for.", 1, 3600)
    replicas: int = setting(2, "How many replicas `flotilla up` starts.", 1, MOST_REPLICAS)

    @property
    def url(self) -> str:
        """Where clients find nginx."""
        if self.flotilla_url:
            return self.flotilla_url.rstrip("/")
        address = "127.0.0.1" if self.http_address == "0.0.0.0" else self.http_address  # noqa: S104
        return f"http://{address}:{self.http_port}"

    @property
    def prometheus(self) -> str:
        """Where Prometheus answers."""
        return self.prometheus_url.rstrip("/") or f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def door(self) -> str:
        """Where the door's counter answers."""
        return self.door_url.rstrip("/") or f"http://127.0.0.1:{self.door_port}"

    @property
    def registry(self) -> Path:
        """Folder of models, versions and routes."""
        return self.flotilla_home / "registry"

    @property
    def reports(self) -> Path:
        """Folder in which replicas say what they hold."""
        return Path(self.reports_dir) if self.reports_dir else self.flotilla_home / "reports"

    @property
    def feedback(self) -> Path:
        """Folder in which replicas keep answers and true labels."""
        return Path(self.feedback_dir) if self.feedback_dir else self.flotilla_home / "feedback"
