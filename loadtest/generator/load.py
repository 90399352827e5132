"""The loop of one process: what is due is sent over what is free, replies are checked and counted.

`process.py` runs it. Open and closed loops differ in their schedule alone.
"""

import math
import random
import time
from collections.abc import Callable, Iterator

from loadtest.generator.account import Account
from loadtest.generator.check import Check
from loadtest.generator.pool import PAUSE_SECONDS, Pool
from loadtest.generator.schedule import AsAnswered, Schedule
from loadtest.usage.proc import core_wait_seconds

# Requests under way are counted once in each of these spans, at a random moment: at even ones they
# would fall into step with requests that come evenly.
SAMPLE_SECONDS = 0.005
# What was due and finds no connection at the end is sent for so long: a moment in which all are busy
# is no overload. Much longer, and an overloaded server would seem to have kept up.
LAST_SECONDS = 0.1

clock = time.perf_counter


class Load:
    """The share that one process has in a load."""

    def __init__(
        self, pool: Pool, account: Account, requests: Iterator[tuple[int, bytes]], check: Check
    ) -> None:
        """Take what is needed; nothing is sent before `run`."""
        self._pool, self._account = pool, account
        self._requests, self._wrong = requests, check.wrong

    def run(self, schedule: Schedule, started: float, seconds: float, patience: float) -> None:
        """Send for some seconds from a moment on, and wait for the last replies with patience.

        Everything is in the account then. Raises EOFError when a pipe that the pool watches ends.
        """
        self._schedule, self._account.started = schedule, started
        self._counts_lag = not isinstance(schedule, AsAnswered)
        time.sleep(max(0.0, started - clock()))
        self._sample_at = started
        cpu, waited = time.process_time(), core_wait_seconds()
        end = started + seconds
        self._run_until(end, lambda: False)
        self._run_until(end + LAST_SECONDS, lambda: not schedule.waiting(end))
        self._account.cpu_seconds = time.process_time() - cpu
        self._account.core_wait_seconds = core_wait_seconds() - waited
        self._account.unsent = schedule.stop()
        self._sample_at = math.inf
        self._run_until(end + patience, lambda: not self._pool.busy)
        self._pool.end_all("no whole reply until the end")

    def _run_until(self, end: float, done: Callable[[], bool]) -> None:
        pool, schedule, look_at = self._pool, self._schedule, clock()
        while (now := clock()) < end and not done():
            self._send_due()
            if now >= self._sample_at:
                self._sample(now)
            if now >= look_at:
                pool.look(now)
                look_at = now + PAUSE_SECONDS
            due, now = schedule.next_at if pool.free else math.inf, clock()
            for connection, reply in pool.replies(min(due, end, look_at, self._sample_at) - now):
                now = clock()
                if now >= self._sample_at:
                    self._sample(now, answered=1)
                wrong = self._wrong(connection.place, reply)
                self._account.reply(now, now - connection.began, reply.labels, wrong)
                self._send_due()

    def _send_due(self) -> None:
        """Send what is due, as far as connections are free."""
        free, take = self._pool.free, self._schedule.take
        while free:
            now = clock()
            if now >= self._sample_at:
                self._sample(now)  # before what has waited meanwhile is sent
            began = take(now)
            if began is None:
                return
            if self._counts_lag:
                self._account.lags.append(now - max(began, self._pool.free_since))
            place, request = next(self._requests)
            self._pool.send(place, request, began, now)

    def _sample(self, now: float, answered: int = 0) -> None:
        """Count what was due and not yet answered, at each moment that has passed since the last time.

        Where this process was held up, no reply was taken meanwhile, but requests went on to be due;
        `answered` were still under way until now.
        """
        started = self._account.started
        while (at := self._sample_at) <= now:
            self._account.sample(answered + self._pool.busy + self._schedule.waiting(at))
            spans = int((at - started) / SAMPLE_SECONDS) + 1
            self._sample_at = started + (spans + random.random()) * SAMPLE_SECONDS
