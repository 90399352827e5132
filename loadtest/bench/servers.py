"""What is measured: Flotilla's local stack, nginx's own `return 200`, FastAPI by hand.

In: a scratch folder, what is published in it, a free port. Out: a `Server` while its
context lasts. `__main__.py` calls.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench.processes import ROOT, program, run_to_end, running, uninterrupted, wait_for
from loadtest.bench.report import FASTAPI, FLOTILLA, RETURN_200
from loadtest.bench.workloads import Workload

REPLICAS = 2

# Relative paths are relative to nginx's prefix, the scratch folder.
NGINX_CONF = """\
daemon off;
worker_processes auto;
pid return_200.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;  # by default every 1000th request pays for a new connection
    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 '{{"predictions":[0]}}'; }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A server under measurement."""

    name: str
    url: str

    def has(self, workload: Workload) -> bool:
        """Say whether it is asked for this; see `Report.find` for what stands in where it isn't."""
        if self.name == RETURN_200:
            return workload.model == "digits"
        return self.name != FASTAPI or workload.model == workload.original


@contextmanager
def flotilla(home: Path, port: int, settings: Mapping[str, str]) -> Iterator[Server]:
    """Run the local stack on what is published in a folder; it takes `port` and some that follow."""
    environment = {**environment_of(home, port), **settings}
    command, log = [sys.executable, "-m", "deploy"], home / "bench.log"
    try:
        up = [*command, "up", "--replicas", str(REPLICAS), "--samples", "none"]
        run_to_end(up, environment, log)
        yield Server(FLOTILLA, f"http://127.0.0.1:{port}")
    finally:
        # The stack's processes outlive the command that started them, so it takes another one.
        with uninterrupted():
            run_to_end([*command, "down"], environment, log)


def environment_of(home: Path, port: int) -> dict[str, str]:
    """Return the environment of a local stack in `home`, which takes `port` and some that follow."""
    return {
        **defaults(),
        "FLOTILLA_HOME": str(home),
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": str(port),
        "PROMETHEUS_PORT": str(port + 1),
        "REPLICA_PORT": str(port + 2),
        "ALERTMANAGER_PORT": str(port + 20),
        "NGINX_EXPORTER_PORT": str(port + 21),
        "REDIS_EXPORTER_PORT": str(port + 22),
        "DOOR_PORT": str(port + 23),
    }


def defaults() -> dict[str, str]:
    """Return every setting as unset: what is measured is the kit as it comes, not this shell's."""
    example = (ROOT / ".env.example").read_text()
    return dict.fromkeys(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE), "")


@contextmanager
def return_200(folder: Path, port: int) -> Iterator[Server]:
    """Run an nginx that answers by itself: what HTTP and wrk alone allow on this machine."""
    configuration, log = folder / "return_200.conf", folder / "return_200.log"
    configuration.write_text(NGINX_CONF.format(port=port))
    (folder / "temp").mkdir()
    command = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    with running(command, {}, log) as process:
        wait_for(process, port, "/", log)
        yield Server(RETURN_200, f"http://127.0.0.1:{port}")


@contextmanager
def fastapi(folder: Path, port: int, models: Mapping[str, Path]) -> Iterator[Server]:
    """Run the hand-written server: two workers, asked directly, so without the cost of a proxy."""
    command = [sys.executable, "-m", "uvicorn", "loadtest.bench.fastapi_server:app"]
    command += ["--port", str(port), "--workers", "2", "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]
    environment = {"MODELS": ",".join(f"{name}={path}" for name, path in models.items())}
    log = folder / "fastapi.log"
    with running(command, environment, log) as process:
        wait_for(process, port, "/openapi.json", log)
        yield Server(FASTAPI, f"http://127.0.0.1:{port}")
