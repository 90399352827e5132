"""Logs: one JSON line for each event, on standard error. A prediction writes none: nginx has it."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

log = logging.getLogger("service")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a request id passed as `extra` is a member of its own."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", ""):
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def logging_config(level: str) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`, gunicorn's loggers included."""
    own = {"level": level.upper(), "handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"service": own, "gunicorn.error": own},
    }


def log_failure(error: Exception, request_id: str) -> None:
    """Log an error that isn't one of ours, with its trace and the request's id."""
    log.error(
        "a request failed", exc_info=error, extra={"request_id": request_id} if request_id else None
    )
