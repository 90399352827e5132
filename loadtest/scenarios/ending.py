"""The start and end that workers and master agree on, so that no count is missing.

Locust's master waits half a second for the last reports, however long the last replies take. Here each
worker says when it is prepared, and when all that it has counted is on its way.
"""

import time
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust.runners import STATE_STOPPED, MasterRunner, WorkerRunner

PREPARED, FINISH, FINISHED = "flotilla_prepared", "flotilla_finish", "flotilla_finished"
# Longer than a request may take.
PATIENCE_SECONDS = 30.0


class Workers:
    """The master's view of its workers."""

    def __init__(self, runner: MasterRunner) -> None:
        """Listen to what workers say."""
        self._runner = runner
        self._prepared: set[str] = set()
        self._started: set[str] = set()
        self._finished: set[str] = set()
        runner.register_message(PREPARED, lambda msg, **_: self._prepared.add(msg.node_id))
        runner.register_message(FINISHED, lambda msg, **_: self._finished.add(msg.node_id))

    def wait_until_prepared(self, count: int) -> None:
        """Wait for so many workers, with patience that ends."""
        _wait(lambda: len(self._prepared) >= count)

    def start(self) -> None:
        """Begin a run with the workers that there are."""
        self._started, self._finished = set(self._runner.clients), set()

    def finish(self) -> list[str]:
        """Let all workers end their part of the run; return those whose last counts are missing."""
        self._runner.send_message(FINISH)
        _wait(
            lambda: self._finished >= {each.id for each in self._runner.clients.all} - self._missing()
        )
        return sorted(self._started - self._finished)

    def _missing(self) -> set[str]:
        return {each.id for each in self._runner.clients.missing}


def finish_when_told(runner: WorkerRunner) -> Callable[[], None]:
    """Let a worker end its part of a run when its master says so; return what does the same at once."""

    def finish(**_: Any) -> None:
        if runner.state != STATE_STOPPED:
            runner.stop()
            runner._send_stats()  # what Locust calls for a last report
        runner.send_message(FINISHED)

    runner.register_message(FINISH, finish, concurrent=True)
    return finish


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        gevent.sleep(0.01)
