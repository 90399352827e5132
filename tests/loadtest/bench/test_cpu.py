"""Processor time for each request: what a process used while wrk ran, divided by its requests."""

import os
import time

import pytest

from loadtest.bench.cpu import WRK, costs
from loadtest.bench.report import Run


def test_costs_are_microseconds_a_request() -> None:
    """A fifth of a second for a thousand requests is 200 µs each."""

    def work() -> Run:
        began = time.process_time()
        while time.process_time() < began + 0.2:
            pass
        return Run(1000.0, 1.0, 1.0)

    run, spent = costs({"this": os.getpid()}, work, seconds=1)
    assert run.requests_per_second == 1000
    assert spent["this"].total == pytest.approx(200, abs=40)
    assert spent[WRK].total == pytest.approx(0, abs=1)
