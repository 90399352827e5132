"""A real replica: gunicorn in a process of its own on a Unix socket, and a client to ask it."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tests.polling import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
NAME = "replica-under-test"


class Connection(http.client.HTTPConnection):
    """A kept-alive HTTP connection over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the Unix socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Reply:
    """Status, headers and body of a reply."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of an error, which is all that its body holds."""
        assert list(self.json) == ["error"]
        return self.json["error"]


class ReplicaProcess:
    """One replica with settings and options for gunicorn of its own, ended by its process id."""

    def __init__(self, registry: Path, *options: str, **settings: str) -> None:
        self._options = options
        # Short: a Unix socket's path has at most 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="replica-"))
        self.socket = self._folder / "s"
        self._settings = {
            "REGISTRY_DIR": str(registry),
            "BIND": f"unix:{self.socket}",
            "REPLICA_NAME": NAME,
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ReplicaProcess":
        self.start()
        try:
            wait_until(self.lives)
        except BaseException:
            sys.stderr.write(self.log)
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start gunicorn as the stack does."""
        command = [sys.executable, "-m", "gunicorn"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--config", "service/gunicorn_conf.py", *self._options, "service.asgi:app"],
                cwd=ROOT,
                env={**os.environ, **self._settings},
                stderr=log,
            )

    def terminate(self) -> None:
        """Ask it to end, as the stack does."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended and return its exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """End it and wait for that."""
        if self._process is not None:
            self.terminate()
            try:
                self.wait()
            finally:
                self._process.kill()

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        return (self._folder / "log").read_text()

    def lives(self) -> bool:
        """Tell whether it answers."""
        assert self._process.poll() is None, "it has ended"
        try:
            return self.ask("GET", "/health/live").status == 200
        except OSError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until it holds every routed version."""
        wait_until(lambda: self.ask("GET", "/health/ready").status == 200)

    def connect(self) -> Connection:
        """Return a connection, to be closed."""
        return Connection(self.socket)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send one request; a body that isn't bytes goes as JSON. `_` stands for `-` in a header."""
        connection = self.connect()
        try:
            return send(connection, method, path, body, **headers)
        finally:
            connection.close()

    def predict(self, model: str, *rows: Any, **headers: str) -> Reply:
        """Ask for predictions by V1."""
        return self.ask("POST", f"/v1/models/{model}:predict", {"instances": rows}, **headers)


def send(connection: Connection, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Send one request on a connection that stays open."""
    encoded = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
    sent = {"Content-Type": "application/json"} if body is not None else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    # What is refused by its headers is answered, and the connection closed, before the body is read.
    with suppress(BrokenPipeError):
        connection.request(method, path, encoded, sent)
    return Reply(connection.getresponse())
