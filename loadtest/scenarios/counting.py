"""Counts of one process, and how a worker hands them to its master: each request is counted once.

Locust's events come in; `measured.py` has what goes out.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from locust.env import Environment
from locust.runners import WorkerRunner

from deploy.errors import Refused
from loadtest.scenarios.ending import PREPARED, finish_when_told
from loadtest.scenarios.measured import Measured
from loadtest.scenarios.users import Client, banks

KEY = "flotilla_measured"  # in what a worker reports to the master, beside Locust's own
LONGEST_WAIT_SECONDS = 30

logger = logging.getLogger(__name__)


def count_here(environment: Environment) -> None:
    """Count this process' own requests, from the start of each run until all are judged."""
    events: Any = environment.events

    def start(**_: Any) -> None:
        try:
            banks(Client.book, environment.parsed_options)  # another choice on Locust's page
        except Refused as error:
            logger.error("%s", error)  # and each user says so and ends the run
        Client.measured = Measured()

    def count(response_time: float, exception: Exception | None, **_: Any) -> None:
        Client.measured.count(response_time / 1000, exception is not None)

    events.test_start.add_listener(start)
    events.request.add_listener(count)

    events.test_stop.add_listener(lambda **_: Client.aside.join(LONGEST_WAIT_SECONDS))
    # Locust asks for it when a run ends; the first time takes 100 ms, in which nothing would be sent.
    inspect.stack()


def count_in_worker(environment: Environment, runner: WorkerRunner) -> Callable[[], None]:
    """Count, and report to the master; return what tells it that this worker is prepared."""
    events: Any = environment.events
    count_here(environment)

    def report(client_id: str, data: dict[str, Any]) -> None:
        data[KEY] = Client.measured.take(client_id)

    events.report_to_master.add_listener(report)
    finish = finish_when_told(runner)
    events.quitting.add_listener(lambda **_: finish())
    return lambda: runner.send_message(PREPARED)


def add_reported(client_id: str, data: dict[str, Any]) -> None:
    """Add what a worker has reported; in the master."""
    if KEY in data:
        Client.measured.add(client_id, data[KEY])
