"""A real Prometheus with a past that is known to the last digit: lines of numbers in, its URL out.

promtool writes the past, and as much of the future as a test may last, so that nobody waits for scrapes
and a counter's rate is exactly its slope.
https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.needs import PROGRAM_PATH
from tests.prometheus import running_prometheus
from tests.stack.stack import free_ports

EVERY_SECONDS = 5
PAST, FUTURE = 240, 120  # looks


class Line(NamedTuple):
    """A series: `value` when the test begins, and what a second adds to it, before and after."""

    name: str
    labels: dict[str, str]
    value: float = 0.0
    slope: float = 0.0


def counter(name: str, slope: float, **labels: str) -> Line:
    """Return a counter that goes up by `slope` a second."""
    return Line(name, labels, 1e6, slope)


def gauge(name: str, value: float, **labels: str) -> Line:
    """Return a gauge that stays where it is."""
    return Line(name, labels, value)


@contextmanager
def remembering(folder: Path, lines: Sequence[Line], port: int | None = None) -> Iterator[str]:
    """Run a Prometheus that remembers these series; yield its URL."""
    port = port or free_ports(1, 29400)[0]
    written = folder / "past.om"
    written.write_text(_open_metrics(lines, int(time.time()) // EVERY_SECONDS * EVERY_SECONDS))
    (folder / "prometheus.yml").write_text("global: {}\n")
    promtool = shutil.which("promtool", path=PROGRAM_PATH) or "promtool"
    make = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(written), str(folder / "data")]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    with running_prometheus(folder, port) as url:
        yield url


def _open_metrics(lines: Sequence[Line], now: int) -> str:
    """Return the exposition; the lines of a metric have to stand together."""
    text = []
    for line in sorted(lines, key=lambda each: each.name):
        labels = ",".join(f"{name}={json.dumps(value)}" for name, value in line.labels.items())
        for look in range(-PAST, FUTURE):
            seconds = look * EVERY_SECONDS
            text.append(
                f"{line.name}{{{labels}}} {line.value + line.slope * seconds!r} {now + seconds}"
            )
    return "\n".join([*text, "# EOF\n"])
