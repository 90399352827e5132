"""Logs: each event is one line of JSON."""

import json
import logging
import subprocess
import sys

import pytest

from service.logs import JsonFormatter
from tests.service.replica_process import ROOT


def record(message: str = "loaded %s", *arguments: object, **more: object) -> logging.LogRecord:
    """Return an event."""
    made = logging.LogRecord("service.x", logging.INFO, "x.py", 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def test_line() -> None:
    """An event is one line with time, level, logger and message."""
    line = JsonFormatter().format(record("loaded %s", "a\nb", created=0.0))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "service.x",
        "message": "loaded a\nb",
    }


def test_request_id_and_trace() -> None:
    """An event of a request has its id, one of an error its trace, still in one line."""
    try:
        raise ValueError("reason")
    except ValueError:
        event = record("failed", request_id="abc", exc_info=sys.exc_info())
    line = JsonFormatter().format(event)
    assert "\n" not in line
    assert json.loads(line)["request_id"] == "abc"
    assert json.loads(line)["exception"].endswith("ValueError: reason")


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
