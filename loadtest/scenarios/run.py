"""A run from its start to its verdict: counts come from every process, and the exit code goes out.

`add_run(events)` in a locustfile is all it takes.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import log
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

from deploy.errors import Refused
from loadtest.scenarios.book import Book
from loadtest.scenarios.buckets import refine_buckets
from loadtest.scenarios.counting import add_reported, count_here, count_in_worker
from loadtest.scenarios.ending import Workers
from loadtest.scenarios.measured import Measured
from loadtest.scenarios.options import USERS_OF_ARRIVALS, add_options, limits, share_arrivals
from loadtest.scenarios.scenarios import SCENARIOS
from loadtest.scenarios.shape import prepare_shape
from loadtest.scenarios.thresholds import judge, verdict
from loadtest.scenarios.updates import Updates
from loadtest.scenarios.users import Client, banks

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
        _compare(Client.book, options)
        if isinstance(runner, WorkerRunner):
            # A master may begin at once, so this one listens before it does what takes time.
            prepared = count_in_worker(environment, runner)
            banks(Client.book, options)
            prepared()
            return
        if not isinstance(runner, MasterRunner):
            banks(Client.book, options)
    except Refused as error:
        if not _repeats(options):
            print(f"locust: error: {error}", file=sys.stderr)
        sys.exit(2)
    prepare_shape(environment)
    _Run(environment).follow()


def _compare(book: Book, options: Any) -> None:
    """Look for what is asked for, and say once where rows and right answers come from."""
    every = SCENARIOS[options.scenario].all_models
    book.compare(options.host, book.models(options.models, every=every))
    models = book.models(options.models, every=every)
    if book.checked:
        said = f"Rows come from {book.registry}, and their right answers from scikit-learn"
    else:
        said = f"Rows are made up, and the same row must get the same answer: {book.why_unchecked}"
    if not _repeats(options):
        logger.info("%s: %s", ", ".join(models), said)


def _repeats(options: Any) -> bool:
    """Tell whether this process was forked by --processes, whose master says everything already."""
    return bool(options.worker and options.processes)


class _Run:
    """A run in a master or in a single process."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._options: Any = environment.parsed_options
        self._runner: Any = environment.runner
        self._workers = Workers(self._runner) if isinstance(self._runner, MasterRunner) else None
        self._updates = Updates()
        self._lost: list[str] = []
        self._started = False
        self._verdict, self._passed = "", True  # of no run as yet

    def follow(self) -> None:
        """Listen to Locust; wait for workers where the load would begin without them."""
        events: Any = self._environment.events
        if self._workers is None:
            count_here(self._environment)
        else:
            events.worker_report.add_listener(add_reported)
        events.test_start.add_listener(self._start)
        events.test_stopping.add_listener(self._stopping)
        events.test_stop.add_listener(self._judge)
        events.quitting.add_listener(self._quitting)
        if self._options.headless:
            events.quit.add_listener(lambda **_: print(self._verdict, flush=True))
            if self._workers is not None:
                self._workers.wait_until_prepared(self._options.expect_workers)

    def _start(self, **_: Any) -> None:
        if self._workers is not None:
            Client.measured = Measured()
            self._workers.start()
            self._refuse_what_is_not_there()
        self._started = True
        share_arrivals(self._options)
        self._updates.start(self._options.update_command, self._options.update_seconds)

    def _refuse_what_is_not_there(self) -> None:
        """End a run that somebody has asked for on Locust's page, where workers would have no users."""
        every = SCENARIOS[self._options.scenario].all_models
        try:
            Client.book.models(self._options.models, every=every)
        except Refused as error:
            logger.error("%s", error)
            # Once Locust has begun, for it doesn't end what hasn't.
            gevent.spawn_later(1, self._runner.stop)

    def _stopping(self, **_: Any) -> None:
        self._updates.stop()
        if self._workers is not None:
            self._lost = self._workers.finish()

    def _judge(self, **_: Any) -> None:
        """Reach a verdict on what was measured; on Locust's page it is among the logs."""
        if not self._started:
            return  # its page was opened and closed
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
        if self._runner.state in (STATE_SPAWNING, STATE_RUNNING):
            self._runner.quit()
        if self._verdict:
            self._environment.process_exit_code = (
                0 if self._passed else self._options.exit_code_on_error
            )
