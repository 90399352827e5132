"""Run wrk once against one server and read its outcome.

In: a server, a workload, and numbers that make rows unique. Out: a `Run`. `measure.py` calls it.
"""

import json
import subprocess
from pathlib import Path

from loadtest.bench.processes import program
from loadtest.bench.report import Run
from loadtest.bench.servers import Server
from loadtest.bench.workloads import SHAPES, Workload, zipf_draws

THREADS = 2
CONNECTIONS = 32
SCRIPTS = Path(__file__).parent / "lua"
GRACE_SECONDS = 30
# By default 2 s: a slow server would look like a broken one.
TIMEOUT = "10s"


def write_bodies(folder: Path) -> None:
    """Write into a folder what the scripts read: the bodies of each shape, and Zipf's draws."""
    for shape in SHAPES:
        bodies = Workload("digits", shape).bodies()
        (folder / f"{shape}.txt").write_text("\n".join(bodies) + "\n")
    (folder / "draws.txt").write_text("\n".join(map(str, zipf_draws())) + "\n")


def measure(server: Server, workload: Workload, folder: Path, seconds: int, numbers: range) -> Run:
    """Load a server for some seconds; rows that have to be unique get theirs from `numbers`."""
    command = [program("wrk"), f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["--timeout", TIMEOUT]
    if workload.shape == "repeats":
        script, arguments = "repeats.lua", [str(folder / "draws.txt")]
    else:
        script, arguments = "unique.lua", [str(numbers.start), str(len(numbers) // THREADS)]
    url = server.url + workload.path
    command += ["-s", script, url, "--", str(folder / f"{workload.shape}.txt"), *arguments]
    done = subprocess.run(
        command,
        cwd=SCRIPTS,  # where they find outcome.lua
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + GRACE_SECONDS,
    )
    return parse(done.stdout)


def parse(output: str) -> Run:
    """Read the line of JSON with which `lua/outcome.lua` ends."""
    outcome = json.loads(output.splitlines()[-1])
    return Run(
        requests_per_second=outcome["requests"] / outcome["microseconds"] * 1e6,
        p50_ms=outcome["p50_us"] / 1000,
        p99_ms=outcome["p99_us"] / 1000,
        non_2xx=outcome["non_2xx"],
        socket_errors=sum(outcome[kind] for kind in ("connect", "read", "write", "timeout")),
    )
