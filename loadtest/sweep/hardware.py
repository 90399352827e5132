"""What a study was measured on: processor, cores, memory, kernel, commit, versions."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from deploy.errors import Refused
from loadtest.bench.machine import commit, cpu_model
from loadtest.sweep.stack import Stack

PACKAGES = ("scikit-learn", "onnxruntime", "numpy", "gunicorn", "uvloop")
# Figures of two commits, models or machines are no one study's.
SAME = ("commit", "cpu", "cores", "memory", "image", "model digest")
GIB = 2**30


def hardware(stack: Stack, digest: str) -> dict[str, str]:
    """Return all that figures depend on and settings don't say, by name."""
    return {
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / GIB:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "model digest": digest[:16],
        **stack.hardware(),
        **{name: found for name in PACKAGES if (found := _version(name))},
    }


def check_same(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise `Refused` where figures of before and of now would be no one study's, saying why."""
    differ = [
        f"{name} was {before[name]} and is {now.get(name, 'unknown')}"
        for name in SAME
        if name in before and before[name] != now.get(name)
    ]
    if differ:
        raise Refused(
            f"this study can't go on, its figures would be of two things: {'; '.join(differ)}"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""  # the fast extras may be missing
