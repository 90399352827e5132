"""Alerts that fire, as Prometheus tells of them: gravest first, without the one that always fires."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.errors import Refused
from deploy.local.alerts import describe, firing


def alert(
    name: str, severity: str = "", state: str = "firing", **annotations: str
) -> dict[str, object]:
    """Return an alert as Prometheus' API has it."""
    labels = {"alertname": name} | ({"severity": severity} if severity else {})
    return {"labels": labels, "annotations": annotations, "state": state, "value": "1e+00"}


@contextmanager
def prometheus(body: bytes) -> Iterator[str]:
    """Answer every request with `body`, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/v1/alerts" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def replied(*alerts: dict[str, object]) -> bytes:
    """Return the body of Prometheus' reply."""
    return json.dumps({"status": "success", "data": {"alerts": alerts}}).encode()


def test_the_gravest_come_first() -> None:
    """What fires is told with its description; what is pending, and the watchdog, isn't."""
    alerts = [
        alert("Watchdog", "none", description="always"),
        alert("Odd", description="no severity"),
        alert("ReplicasFewer", "info", description="2 replicas answer"),
        alert("RedisDown", "warning", summary="Redis doesn't answer"),
        alert("ReplicaDown", "warning", "pending"),
        alert("DoorDown", "critical", description="nginx is away"),
    ]
    with prometheus(replied(*alerts)) as url:
        assert [describe(each) for each in firing(url)] == [
            "critical: DoorDown: nginx is away",
            "warning: RedisDown: Redis doesn't answer",
            "info: ReplicasFewer: 2 replicas answer",
            ": Odd: no severity",
        ]


def test_nothing_fires() -> None:
    """A healthy stack has no line."""
    with prometheus(replied(alert("Watchdog", "none"))) as url:
        assert firing(url) == []


def test_prometheus_can_not_tell() -> None:
    """Somebody else's answer, or none, isn't taken for no alert."""
    with prometheus(b"<html>") as url, pytest.raises(Refused, match="JSON"):
        firing(url)
    with pytest.raises(Refused, match="Connection refused"):
        firing(url)
