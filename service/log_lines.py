"""Log lines: an event comes in, one line of JSON goes out. For every process of ours that logs."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from logging.config import dictConfig

import msgspec

# What every record has; all else was given as `extra` and is a member of its own.
_OWN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger, message, what was given as `extra`, and the trace."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def write_lines(level: str, loggers: Sequence[str]) -> None:
    """Write what these loggers say from `level` on, and everybody's warnings, to standard error."""
    own = {"level": level.upper(), "handlers": ["stderr"], "propagate": False}
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": dict.fromkeys(loggers, own),
        }
    )
