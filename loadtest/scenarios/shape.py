"""How many users Locust runs at each moment: a scenario's table, or `--users` all the time."""

import signal
import time
from typing import Any

from locust import LoadTestShape
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtest.scenarios.scenarios import SCENARIOS
from loadtest.scenarios.stages import users_at


class Shape(LoadTestShape):
    """Follows the options, so that they can be chosen on Locust's page: users are the peak."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Return users and how many come in a second; None ends the run. Locust asks every second."""
        runner: Any = self.runner
        options = runner.environment.parsed_options
        peak, elapsed = options.num_users or 1, time.perf_counter() - self.start_time
        if stages := SCENARIOS[options.scenario].stages:
            return users_at(stages, elapsed, peak, options.run_time)
        if options.run_time and elapsed >= options.run_time:
            return None
        return peak, options.spawn_rate or 1


def prepare_shape(environment: Environment) -> None:
    """Leave a steady run without the page to Locust itself, and let a signal end any other."""
    options = environment.parsed_options
    if options is None or not options.headless or isinstance(environment.runner, WorkerRunner):
        return
    if SCENARIOS[options.scenario].stages:
        # Locust looks after this signal only once the shape is over; until then it is a Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    else:
        environment.shape_class = None
