"""A real Prometheus of a test's own: a folder with its prometheus.yml comes in, a URL goes out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import Refused
from deploy.prometheus import Prometheus
from tests.needs import PROGRAM_PATH
from tests.running import running


@contextmanager
def running_prometheus(folder: Path, port: int) -> Iterator[str]:
    """Run Prometheus on a port, with what the folder holds, while the context lasts; yield its URL."""
    program = shutil.which("prometheus", path=PROGRAM_PATH) or "prometheus"
    where = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    where.append(f"--web.listen-address=127.0.0.1:{port}")
    url = f"http://127.0.0.1:{port}"
    with running([program, *where], folder / "log", lambda: _answers(url)):
        yield url


def _answers(url: str) -> bool:
    try:
        return Prometheus(url).now() > 0
    except Refused:
        return False
