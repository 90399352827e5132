"""What a test runs for real: where it is missing the test is skipped by name, which CI forbids."""

import os
import shutil
import subprocess
from functools import cache

import pytest

# Debian keeps daemons where only root's PATH looks.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def require(*programs: str) -> None:
    """Skip the test (in CI: fail it) unless all these programs can be run."""
    for program in programs:
        lacking = lack(program)
        if lacking is not None and os.environ.get("CI"):
            pytest.fail(f"needs {lacking}; CI skips nothing", pytrace=False)
        if lacking is not None:
            pytest.skip(f"needs {lacking}")


@cache
def lack(program: str) -> str | None:
    """Return what keeps a program from being run, or None."""
    if program == "docker":
        return _lack_docker()
    if shutil.which(program, path=PROGRAM_PATH) is None:
        return f"{program}, which isn't installed"
    return None


def _lack_docker() -> str | None:
    """Ask the engine, not only for the client, and for the compose plugin."""
    for words, lacking in (
        (["info"], "no engine answers"),
        (["compose", "version"], "no compose plugin"),
    ):
        try:
            subprocess.run(["docker", *words], check=True, capture_output=True, timeout=20)
        except (OSError, subprocess.SubprocessError):
            return f"docker, {lacking}: the stack in containers is left out"
    return None
