"""A run from its start to its verdict: counts come from every process, and the exit code goes out.

`add_run(events)` in a locustfile is all it takes.
"""

import inspect
import logging
import sys
from pathlib import Path
from typing import Any

from locust import log
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from deploy.errors import Refused
from loadtest.scenarios.book import Book
from loadtest.scenarios.buckets import refine_buckets
from loadtest.scenarios.ending import PREPARED, Workers, finish_when_told
from loadtest.scenarios.measured import Measured
from loadtest.scenarios.options import USERS_OF_ARRIVALS, add_options, limits, share_arrivals
from loadtest.scenarios.scenarios import SCENARIOS
from loadtest.scenarios.shape import prepare_shape
from loadtest.scenarios.thresholds import judge, verdict
from loadtest.scenarios.updates import Updates
from loadtest.scenarios.users import Client, banks

KEY = "flotilla_measured"  # in what a worker reports to the master, beside Locust's own
LONGEST_WAIT_SECONDS = 30

logger = logging.getLogger(__name__)


def add_run(events: Any) -> None:  # Any: Locust's own type has methods without types
    """Add the options, and follow the run once Locust knows what this process is."""
    refine_buckets()
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(_begin)


def _begin(environment: Environment, **_: Any) -> None:
    """Prepare what is asked for; end the process with a sentence where that can't be had."""
    options: Any = environment.parsed_options
    runner: Any = environment.runner
    if options is None or runner is None:
        return
    if options.arrivals and options.num_users is None:
        options.num_users = USERS_OF_ARRIVALS
    Client.book = Book(Path(options.registry))
    try:
        every = SCENARIOS[options.scenario].all_models
        Client.book.compare(options.host, Client.book.models(options.models, every=every))
        asked = Client.book.models(options.models, every=every)
        if not isinstance(runner, MasterRunner):
            banks(Client.book, options)
    except Refused as error:
        print(f"locust: error: {error}", file=sys.stderr)
        sys.exit(2)
    if not isinstance(runner, WorkerRunner) or not options.processes:
        _announce(Client.book, asked)
    prepare_shape(environment)
    # Locust asks for it when a run ends; the first time takes 100 ms, in which nothing would be sent.
    inspect.stack()
    if isinstance(runner, WorkerRunner):
        _count_in_worker(environment, runner)
    else:
        _Run(environment).follow()


def _announce(book: Book, models: list[str]) -> None:
    """Say once where rows and right answers come from."""
    if book.checked:
        said = f"Rows come from {book.registry}, and their right answers from scikit-learn"
    else:
        said = f"Rows are made up, and the same row must get the same answer: {book.why_unchecked}"
    logger.info("%s: %s", ", ".join(models), said)


def _count(environment: Environment) -> None:
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


def _count_in_worker(environment: Environment, runner: WorkerRunner) -> None:
    """Count, and report to the master."""
    events: Any = environment.events
    _count(environment)

    def report(client_id: str, data: dict[str, Any]) -> None:
        data[KEY] = Client.measured.take(client_id)

    events.report_to_master.add_listener(report)
    finish = finish_when_told(runner)
    events.quitting.add_listener(lambda **_: finish())
    runner.send_message(PREPARED)


class _Run:
    """A run in a master or in a single process."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._options: Any = environment.parsed_options
        self._runner: Any = environment.runner
        self._workers = Workers(self._runner) if isinstance(self._runner, MasterRunner) else None
        self._updates = Updates()
        self._lost: list[str] = []
        self._verdict, self._passed = "", True  # of no run as yet

    def follow(self) -> None:
        """Listen to Locust; wait for workers where the load would begin without them."""
        events: Any = self._environment.events
        if self._workers is None:
            _count(self._environment)
        else:
            events.worker_report.add_listener(self._add)
        events.test_start.add_listener(self._start)
        events.test_stopping.add_listener(self._stopping)
        events.test_stop.add_listener(self._judge)
        events.quitting.add_listener(self._quitting)
        if self._options.headless:
            events.quit.add_listener(lambda **_: print(self._verdict))
            if self._workers is not None:
                self._workers.wait_until_prepared(self._options.expect_workers)

    def _add(self, client_id: str, data: dict[str, Any]) -> None:
        if KEY in data:
            Client.measured.add(client_id, data[KEY])

    def _start(self, **_: Any) -> None:
        if self._workers is not None:
            Client.measured = Measured()
            self._workers.start()
        share_arrivals(self._options)
        self._updates.start(self._options.update_command, self._options.update_seconds)

    def _stopping(self, **_: Any) -> None:
        self._updates.stop()
        if self._workers is not None:
            self._lost = self._workers.finish()

    def _judge(self, **_: Any) -> None:
        """Reach a verdict on what was measured; on Locust's page it is among the logs."""
        Client.measured.look_at_cpu("master" if self._workers else "local")
        rows, troubles = judge(Client.measured, limits(self._options)), self._troubles()
        self._passed = not troubles and all(row.ok for row in rows)
        self._verdict = verdict(Client.measured, rows, troubles, self._options.arrivals)
        if not self._options.headless:
            logger.info("%s", self._verdict)

    def _troubles(self) -> list[str]:
        """Return what makes the figures worthless, whatever they are."""
        found = [f"update failed: {each}" for each in self._updates.failures]
        found += [f"worker {each} went away: its counts are incomplete" for each in self._lost]
        found += [f"a user raised {each['msg']}" for each in self._runner.exceptions.values()]
        if self._runner.cpu_warning_emitted or self._runner.worker_cpu_warning_emitted:
            found.append("Locust had too little CPU for its own work: more --processes, or less load")
        if log.unhandled_greenlet_exception:
            found.append("the load test itself failed, see above")
        return found

    def _quitting(self, **_: Any) -> None:
        """Set the exit code; where a signal has ended the run, of what was measured until then."""
        self._runner.quit()
        if self._verdict:
            self._environment.process_exit_code = (
                0 if self._passed else self._options.exit_code_on_error
            )
