"""Run wrk once against one server and read its outcome.

In: a URL and a file of templates (`workloads.py`). Out: a `Run`. `__main__.py` calls it.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench.servers import program

THREADS = 2
CONNECTIONS = 32
SCRIPT = Path(__file__).parent / "lua" / "unique.lua"
GRACE_SECONDS = 30
# By default 2 s: a slow server would look like a broken one.
TIMEOUT = "10s"


@dataclass(frozen=True)
class Run:
    """One run's outcome; latencies are those of a closed loop of 32 connections."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    non_2xx: int
    socket_errors: int

    @property
    def failed(self) -> int:
        """Count the requests that went wrong."""
        return self.non_2xx + self.socket_errors


def measure(url: str, templates: Path, seconds: int, first: int, step: int) -> Run:
    """Load a URL for some seconds with bodies numbered from `first`, `step` numbers a thread."""
    command = [program("wrk"), f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["--timeout", TIMEOUT]
    command += ["-s", str(SCRIPT), url, "--", str(templates), str(first), str(step)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=seconds + GRACE_SECONDS
    )
    return parse(done.stdout)


def parse(output: str) -> Run:
    """Read the line of JSON with which `lua/unique.lua` ends."""
    outcome = json.loads(output.splitlines()[-1])
    return Run(
        requests_per_second=outcome["requests"] / outcome["microseconds"] * 1e6,
        p50_ms=outcome["p50_us"] / 1000,
        p99_ms=outcome["p99_us"] / 1000,
        non_2xx=outcome["non_2xx"],
        socket_errors=sum(outcome[kind] for kind in ("connect", "read", "write", "timeout")),
    )
