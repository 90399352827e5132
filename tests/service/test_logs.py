"""Logs of a replica: whose lines are written, from which level on."""

import json
import subprocess
import sys

import pytest

from tests.service.replica_process import ROOT

SEVERITIES = ("debug", "info", "warning", "error")
# In a process of its own: logging is configured for a whole one.
PROGRAM = """
import logging, sys
from gunicorn.config import Config
from service.logs import ReplicaLogger

config = Config()
config.set("loglevel", sys.argv[1])
ReplicaLogger(config)
for name in ("service.x", "gunicorn.error"):
    for severity in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(name), severity)(severity)
"""


@pytest.mark.parametrize("level", SEVERITIES)
def test_level(level: str) -> None:
    """Nothing below the level asked for is written, by the service or by gunicorn; all is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, level], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        (name, severity)
        for name in ("service.x", "gunicorn.error")
        for severity in SEVERITIES[SEVERITIES.index(level) :]
    ]
    assert done.stdout == ""
