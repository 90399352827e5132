"""A real Redis on a Unix socket of its own, which tests stop, start, pause and fill."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from tests.polling import PATIENCE_SECONDS, wait_until


class RedisServer:
    """One `redis-server`, ended by its process id."""

    def __init__(self) -> None:
        # Short: a Unix socket's path has at most 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._socket = self._folder / "s"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self._process is None
        words = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        memory_only = ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            ["redis-server", *words, *memory_only], stdout=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def stop(self) -> None:
        """End it, whatever state it is in; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None
            self._socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let it hang: connections stay open and nothing is answered."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return bool(self.tell("PING"))
        except NotThere:
            return False

    def tell(self, *words: Any) -> Any:
        """Send one command and return the reply."""
        with Redis(unix_socket_path=str(self._socket)) as client:
            return client.execute_command(*words)
