"""A real Prometheus of a test's own: a folder with its prometheus.yml comes in, a URL goes out."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import Refused
from deploy.prometheus import Prometheus
from tests.needs import PROGRAM_PATH
from tests.polling import PATIENCE_SECONDS, wait_until


@contextmanager
def running_prometheus(folder: Path, port: int) -> Iterator[str]:
    """Run Prometheus on a port, with what the folder holds, while the context lasts; yield its URL."""
    program = shutil.which("prometheus", path=PROGRAM_PATH) or "prometheus"
    where = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    where.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *where], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _answers(url: str) -> bool:
    try:
        return Prometheus(url).now() > 0
    except Refused:
        return False
