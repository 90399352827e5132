"""The door's counter as a process: what Prometheus sees, and that no kill makes a count wrong."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.door.tally import ANSWERED, HIT, LOST, Tally
from tests.polling import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]


class Door:
    """A running counter."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}/metrics"

    def counted(self, name: str, **labels: str) -> float | None:
        """Return the sum of the series with these labels, None where nobody answers."""
        try:
            text = urlopen(self._url, timeout=PATIENCE_SECONDS).read().decode()
        except OSError:
            return None
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@contextmanager
def door(folder: Path) -> Iterator[Door]:
    """Run a counter on a folder, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "monitoring.door", str(folder), "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=ROOT)
    running = Door(process, port)
    try:
        wait_until(lambda: running.counted("flotilla_door_requests_total") is not None)
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_metrics(tmp_path: Path) -> None:
    """What nginx writes shows within moments, and TERM ends it with 0 and all counted."""
    tally = Tally(tmp_path)
    with door(tmp_path) as running:
        for result in ("answered", "failed", "silent", "abandoned"):
            assert running.counted("flotilla_door_attempts_total", result=result) == 0
        tally.write(HIT * 7 + ANSWERED * 2 + LOST)
        wait_until(lambda: running.counted("flotilla_door_requests_total") == 10)
        assert running.counted("flotilla_door_requests_total", source="edge", version="1") == 7
        assert running.counted("flotilla_door_attempts_total", result="failed") == 2
        assert running.counted("flotilla_door_began_timestamp_seconds") > 1e9
        running.process.terminate()
        tally.write(HIT)  # nginx ends after its counter
        assert running.process.wait(PATIENCE_SECONDS) == 0
    with door(tmp_path) as running:
        wait_until(lambda: running.counted("flotilla_door_requests_total") == 11)


def counts_on(running: Door, before: float) -> bool:
    """Tell whether a counter has counted more than before."""
    return (running.counted("flotilla_door_requests_total") or 0) > before


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Killed again and again while nginx writes: in the end each line has been counted once."""
    tally, stop, written = Tally(tmp_path), threading.Event(), [0]

    def write() -> None:
        while not stop.wait(0.001):
            tally.write(HIT * 700 + ANSWERED * 300)
            written[0] += 1000

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(6):
            with door(tmp_path) as running:
                wait_until(partial(counts_on, running, running.counted("flotilla_door_requests_total")))
                running.process.kill()
                assert running.process.wait(PATIENCE_SECONDS) == -9
    finally:
        stop.set()
        writer.join()
    with door(tmp_path) as running:
        wait_until(lambda: running.counted("flotilla_door_requests_total") == written[0])
        assert running.counted("flotilla_door_requests_total", source="edge") == written[0] * 7 // 10
        assert running.counted("flotilla_door_attempts_total") == written[0] * 3 // 10
        assert running.counted("flotilla_door_unreadable_lines_total") == 0
    assert tally.taken_bytes <= 8192
