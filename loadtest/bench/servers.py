"""What is measured: Flotilla's local stack, nginx's own `return 200`, FastAPI by hand.

In: a scratch folder and a free port. Out: a `Server` while its context lasts. `__main__.py` calls.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench.processes import StartError, run_to_end, running, uninterrupted, wait_for

FLOTILLA, RETURN_200, FASTAPI = "Flotilla", "return 200", "FastAPI"

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


@contextmanager
def flotilla(folder: Path, port: int, models: Sequence[str]) -> Iterator[Server]:
    """Run the local stack with two replicas and no cache; it takes `port` and some that follow."""
    environment = {
        "FLOTILLA_HOME": str(folder / "flotilla"),
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": str(port),
        "PROMETHEUS_PORT": str(port + 1),
        "REPLICA_PORT": str(port + 2),
        "CACHE": "off",
    }
    command, log = [sys.executable, "-m", "deploy"], folder / "flotilla.log"
    try:
        up = [*command, "up", "--replicas", "2", "--samples", ",".join(models)]
        run_to_end(up, environment, log)
        yield Server(FLOTILLA, f"http://127.0.0.1:{port}")
    finally:
        # The stack's processes outlive the command that started them, so it takes another one.
        with uninterrupted():
            run_to_end([*command, "down"], environment, log)


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


def published_model(folder: Path, name: str) -> Path:
    """Return the file of the newest version that `flotilla` published in a scratch folder."""
    versions = (folder / "flotilla" / "registry" / name).glob("*/model.skops")
    return max(versions, key=lambda file: int(file.parent.name))


def program(name: str) -> str:
    """Return the path of a program; raise StartError where it is missing."""
    # Debian keeps nginx where only root's PATH looks.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise StartError(f"the benchmark needs {name}: apt-get install {name}")
    return found
