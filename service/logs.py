"""Logs of a replica: one JSON line for each event. A good prediction writes none: nginx has it."""

import logging

from gunicorn.config import Config
from gunicorn.glogging import Logger

from service.log_lines import write_lines

log = logging.getLogger("service")


class ReplicaLogger(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """Makes gunicorn's own messages such lines too.

    Not by its setting `logconfig_dict`: that switches an access log on, which cost 14 % of a request
    and went nowhere.
    """

    def setup(self, cfg: Config) -> None:
        """Configure logging for the whole process."""
        super().setup(cfg)
        write_lines(cfg.loglevel, ("service", "gunicorn.error"))


def log_failure(error: Exception, request_id: str, model: str = "", version: str = "") -> None:
    """Log an error that isn't one of ours, with its trace and whose request it was."""
    known = {"request_id": request_id, "model": model, "version": version}
    extra = {name: value for name, value in known.items() if value}
    log.error("a request failed", exc_info=error, extra=extra)
