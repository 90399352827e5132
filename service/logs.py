"""Logs: one JSON line for each event, on standard error. A prediction writes none: nginx has it."""

import logging
from datetime import UTC, datetime
from logging.config import dictConfig
from typing import Any

import msgspec
from gunicorn.config import Config
from gunicorn.glogging import Logger

log = logging.getLogger("service")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a request id passed as `extra` is a member of its own, as are `members`."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", ""):
            line["request_id"] = request_id
        line |= getattr(record, "members", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class ReplicaLogger(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """Makes gunicorn's own messages such lines too.

    Not by its setting `logconfig_dict`: that switches an access log on, which cost 14 % of a request
    and went nowhere.
    """

    def setup(self, cfg: Config) -> None:
        """Configure logging for the whole process."""
        super().setup(cfg)
        dictConfig(_logging_config(cfg.loglevel))


def _logging_config(level: str) -> dict[str, Any]:
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
