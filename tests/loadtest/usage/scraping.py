"""A real Prometheus that looks twice a second at parts whose counts a test sets."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.prometheus import running_prometheus
from tests.stack.stack import free_ports


@dataclass
class Shown:
    """What a part shows at /metrics: its series with their values. `up`: whether it answers."""

    series: dict[str, float] = field(default_factory=dict)
    up: bool = True

    @property
    def text(self) -> str:
        """Return the page."""
        return "".join(f"{name} {value}\n" for name, value in self.series.items())


@contextmanager
def scraped(folder: Path, parts: dict[tuple[str, str], Shown]) -> Iterator[str]:
    """Run Prometheus with a target for each part, by job and label `replica`; yield its URL."""
    with ExitStack() as stack:
        jobs: dict[str, list[dict]] = {}
        for (job, replica), shown in parts.items():
            address = stack.enter_context(_showing(shown))
            labels = {"replica": replica} if replica else {}
            jobs.setdefault(job, []).append({"targets": [address], "labels": labels})
        yield stack.enter_context(_prometheus(folder, jobs))


@contextmanager
def _showing(shown: Shown) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = shown.text.encode()
            self.send_response(200 if shown.up else 503)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def _prometheus(folder: Path, jobs: dict[str, list[dict]]) -> Iterator[str]:
    configuration = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [{"job_name": job, "static_configs": each} for job, each in jobs.items()],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML as well
    with running_prometheus(folder, free_ports(1, 21600)[0]) as url:
        yield url
