"""Say what a figure was measured on: a rate without machine, versions and commit means nothing."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from loadtest.bench.processes import ROOT, program

PACKAGES = (
    "scikit-learn",
    "onnxruntime",
    "numpy",
    "gunicorn",
    "uvloop",
    "fastapi",
    "uvicorn",
    "orjson",
)


def machine() -> dict[str, str]:
    """Return the processor, the cores this process may use, and the versions that matter."""
    return {
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        # What else runs takes from all the servers, though not evenly.
        "load before": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "nginx": _first_line("nginx", "-v").rpartition("/")[2],
        "wrk": _first_line("wrk", "-v").split()[1],
        **{package: version(package) for package in PACKAGES},
    }


def commit() -> str:
    """Return the short name of what is measured, marked where files differ from it."""
    name = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return (name + ("+changes" if changed else "")) or "unknown"


def in_short(machine: Mapping[str, str]) -> str:
    """Name processor, cores and commit for a title."""
    return f"{machine['cpu']}, {machine['cores']} cores, commit {machine['commit']}"


def _git(*words: str) -> str:
    """Return what git prints, nothing where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def cpu_model() -> str:
    """Return the processor's name, or its architecture where Linux gives no name (on ARM)."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(name: str, option: str) -> str:
    """Return the first line that a program prints about itself, wherever it prints it."""
    done = subprocess.run([program(name), option], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0]
