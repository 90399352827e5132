"""Say what a figure was measured on: a rate without the machine and the versions means nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from loadtest.bench.servers import program

PACKAGES = ("scikit-learn", "numpy", "gunicorn", "uvloop", "fastapi", "uvicorn", "orjson")


def machine() -> dict[str, str]:
    """Return the processor, the cores this process may use, and the versions that matter."""
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        # What else runs takes from all the servers, though not evenly.
        "load before": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "nginx": _first_line("nginx", "-v").rpartition("/")[2],
        "wrk": _first_line("wrk", "-v").split()[1],
        **{package: version(package) for package in PACKAGES},
    }


def _cpu_model() -> str:
    """Return the processor's name, or its architecture where Linux gives no name (on ARM)."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(name: str, option: str) -> str:
    """Return the first line that a program prints about itself, wherever it prints it."""
    done = subprocess.run([program(name), option], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0]
