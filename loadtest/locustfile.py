r"""Load from Locust: `locust -f loadtest/locustfile.py`, from the folder of the project.

    … --headless -u 50 -t 20s                               50 users for 20 s, then a verdict
    … --headless --scenario spike -u 200 --max-p99-ms 50    exit code 1 beyond 50 ms
    … --headless --arrivals 2000 -t 30s --processes 2       open loop: requests don't wait for replies
    … --headless --scenario update -t 30s --models digits \
        --update-command 'flotilla activate digits 2' --update-command 'flotilla activate digits 1'

Without `--headless` all of it can be chosen on Locust's page. Each reply is checked: status,
version, and the answer against scikit-learn's. A user sends up to ten requests a second
(`--user-rate`); the loop is closed unless there are `--arrivals`. Prometheus finds users, requests and
latencies on port 9646 (`--metrics-port`).

| what | where in `scenarios/` |
|---|---|
| the scenarios, and how users come and go | `scenarios.py`, `stages.py`, `shape.py` |
| options | `options.py` |
| rows and right answers of each version | `book.py`, `answers.py`, `origin.py`, `generated.py` |
| what is sent, and whether the reply is right | `requests.py`, `bad_input.py` |
| who sends it: users, or arrivals | `users.py`, `arrivals.py`, `updates.py` |
| counts, thresholds, exit code | `run.py`, `counting.py`, `ending.py`, `measured.py`, `thresholds.py` |
"""

from locust import events

from loadtest.exporter import add_metrics
from loadtest.scenarios.run import add_run
from loadtest.scenarios.shape import Shape
from loadtest.scenarios.users import Client

__all__ = ["Client", "Shape"]  # what Locust looks for

add_metrics(events)
add_run(events)
