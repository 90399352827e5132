"""Users, who send one request after the other, or arrivals, which wait for nobody.

Each reply is judged before it is counted. One of a version that nobody knows is put aside until its
answers are there, and the user goes on.
"""

import random
import threading
import time
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
from gevent.pool import Group, Pool  # type: ignore[import-untyped]
from locust import FastHttpUser, constant_throughput, task
from locust.env import Environment
from locust.exception import StopTest
from locust.user.task import LOCUST_STATE_STOPPING

from deploy.errors import Refused
from loadtest.scenarios.arrivals import Arrivals
from loadtest.scenarios.book import Bank, Book
from loadtest.scenarios.measured import Measured
from loadtest.scenarios.requests import Request, chooser, version_of, wrong
from loadtest.scenarios.scenarios import SCENARIOS

PATIENCE_SECONDS = 10.0
# More than a request that is just being sent may take.
LAST_REPLY_SECONDS = 2 * PATIENCE_SECONDS + 1
_making = threading.Lock()


class Client(FastHttpUser):
    """Somebody who asks what the scenario asks; with --arrivals many who don't wait for each other."""

    network_timeout = connection_timeout = PATIENCE_SECONDS
    book: ClassVar[Book]
    measured: ClassVar[Measured] = Measured()
    aside: ClassVar[Group] = Group()
    _learning: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, environment: Environment) -> None:
        """Take the options; raise `StopTest`, which ends the run, where they can't be followed."""
        options: Any = environment.parsed_options
        self.concurrency = options.in_flight_each if options.arrivals else 1
        super().__init__(environment)
        try:
            self._choose = chooser(SCENARIOS[options.scenario].asks, banks(self.book, options))
        except Refused as error:
            raise StopTest(str(error)) from None
        self._pace = constant_throughput(options.user_rate) if options.user_rate else None
        self._arrivals_each = options.arrivals_each if options.arrivals else 0.0

    def on_start(self) -> None:
        """Choose a key, as clients have: where versions share a model, each user stays on one."""
        self._headers = {"X-Client-ID": f"user-{random.randrange(10**9)}"}
        if self._arrivals_each:
            self._arrivals = Arrivals(self._arrivals_each, time.perf_counter)
            self._sending = Pool(self.concurrency)

    def on_stop(self) -> None:
        """Count what should have been sent, and wait for what was."""
        if self._arrivals_each:
            self.measured.unsent += self._arrivals.overdue()
            self._sending.join()

    def stop(self, force: bool = False) -> Any:
        """End with the reply that it waits for, so that what was sent is counted.

        Locust has --stop-timeout for that, but its workers are away for so long after each run.
        """
        # A user who leaves already mustn't be told twice.
        if self._state != LOCUST_STATE_STOPPING and super().stop(force=False):
            return True
        greenlet: Any = self._greenlet
        greenlet.join(LAST_REPLY_SECONDS)
        return super().stop(force=True)

    def wait_time(self) -> float:
        """Return the seconds until the next request."""
        if self._arrivals_each:
            return self._arrivals.wait_seconds()
        return self._pace(self) if self._pace else 0.0

    @task
    def send(self) -> None:
        """Send a request and judge its reply; in an open loop beside this one's others."""
        if not self._arrivals_each:
            self._exchange(self._choose(), None)
        elif not self._arrivals.wait_seconds():
            # Where all connections are busy this waits for one, and what is due meanwhile is late.
            self._sending.spawn(self._exchange, self._choose(), self._arrivals.take())

    def _exchange(self, request: Request, due: float | None) -> None:
        sent = request.sent
        headers = {"Content-Type": sent.content_type, **self._headers}
        send: Any = self.client.request  # its types know of no bytes
        reply = send(
            sent.method, sent.path, request.name, sent.body, catch_response=True, headers=headers
        )
        if due is not None:
            reply.request_meta["response_time"] = (time.perf_counter() - due) * 1000
        version = version_of(reply.headers and reply.headers.get("X-Model-Version"))
        if version is None or request.bad or request.bank.answers.knows(version):
            self._judge(request, reply, version)
        else:
            self.aside.spawn(self._judge_later, request, reply, version)

    def _judge_later(self, request: Request, reply: Any, version: int) -> None:
        with self._learning:
            if not request.bank.answers.knows(version):
                beside(request.bank.answers.learn, version)
        self._judge(request, reply, version)

    def _judge(self, request: Request, reply: Any, version: int | None) -> None:
        with reply:
            if reply.status_code == 0:
                return  # the request was lost; Locust counts its error
            if version is not None:
                self.measured.versions[f"{request.bank.model} {version}"] += 1
            if (fault := wrong(request, reply.status_code, version, reply.content or b"")) is None:
                reply.success()
            else:
                reply.failure(fault)


def banks(book: Book, options: Any) -> list[Bank]:
    """Return what the options ask for, made in a thread where it isn't there; raise `Refused`."""
    scenario = SCENARIOS[options.scenario]
    rows = options.batch_rows if scenario.asks == "batch" else 1
    models = book.models(options.models, every=scenario.all_models)
    with _making:  # a run may begin while the process still prepares for it
        return [book.bank(model, rows, beside) for model in models]


def beside(do: Any, *given: Any) -> Any:
    """Call a slow function in a thread, so that other users go on; raise what it raises."""
    return gevent.get_hub().threadpool.apply(do, given)
