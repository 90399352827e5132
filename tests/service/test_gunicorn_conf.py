"""How gunicorn is started: with a setting that can't be used it ends, instead of not serving."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.polling import PATIENCE_SECONDS
from tests.service.replica_process import ROOT


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("MAX_ROWS", "0", "MAX_ROWS='0': expected a whole number from 1"),
        ("REDIS_URL", "redis:6379", "REDIS_URL='redis:6379': expected redis://"),
        # What only the worker finds out.
        ("REDIS_URL", "redis://host:port", "Lifespan startup failed: Port could not be cast"),
    ],
)
def test_bad_setting_ends_the_start(tmp_path: Path, variable: str, value: str, reason: str) -> None:
    """A replica that can't be made doesn't listen: gunicorn exits and says why."""
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "service/gunicorn_conf.py", "service.asgi:app"],
        cwd=ROOT,
        env={**os.environ, "BIND": f"unix:{tmp_path}/s", variable: value},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode != 0
    assert reason in ended.stderr
