"""Log lines: each event is one line of JSON."""

import json
import logging
import sys

from service.log_lines import JsonFormatter


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


def test_members() -> None:
    """What an event is given as `extra` are members of its own, of any type that JSON has."""
    line = json.loads(JsonFormatter().format(record("x", code=429, seconds=1.5, model="m")))
    assert (line["code"], line["seconds"], line["model"]) == (429, 1.5, "m")
    assert set(line) == {"time", "level", "logger", "message", "code", "seconds", "model"}
