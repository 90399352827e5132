"""Users who each send ten predictions a second through nginx, and check what comes back.

`locust -f loadtest/locustfile.py --headless -u 50 -t 20s -H http://127.0.0.1:8080`; with
`--models digits,spam` other sample models as well. The loop is closed: a user waits for a reply
before the next request, so under overload the latencies here say less than an open schedule's.
Prometheus finds users, requests and latencies on port 9646 (`--metrics-port`).
"""

import random
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import FastHttpUser, constant_throughput, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from sklearn.datasets import load_digits

from deploy.samples.house_prices import CATEGORICAL, NUMERIC, houses
from deploy.samples.movies import SEPARATOR
from deploy.samples.spam import messages
from deploy.samples.viewers import viewing_histories
from loadtest.exporter import add_metrics

ROWS = 500
# Not the samples' own seed: rows that the models weren't trained on.
SEED = 2718

ROWS_OF: dict[str, Callable[[], list[Any]]] = {
    "digits": lambda: load_digits().data.tolist(),
    "digits-forest": lambda: load_digits().data.tolist(),
    "spam": lambda: messages(ROWS, SEED)[0],
    "house-prices": lambda: houses(ROWS, SEED)[[*NUMERIC, *CATEGORICAL]].to_dict("records"),
    "movies": lambda: [SEPARATOR.join(titles) for titles in viewing_histories(ROWS, SEED)],
}
rows: dict[str, list[Any]] = {}

add_metrics(events)


def known(models: str) -> str:
    """Return the names as they are; raise ArgumentTypeError when one isn't a sample's."""
    if unknown := set(models.split(",")) - set(ROWS_OF):
        raise ArgumentTypeError(f"no sample {', '.join(unknown)}; there are {', '.join(ROWS_OF)}")
    return models


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # no types there
def add_options(parser: LocustArgumentParser) -> None:
    """Add `--models`; and let all users arrive at once, not one each second."""
    parser.add_argument("--models", type=known, default="digits", help="Samples, with commas")
    parser.set_defaults(spawn_rate=50)


@events.init.add_listener  # type: ignore[untyped-decorator]  # no types there
def make_rows(environment: Environment, **_: object) -> None:
    """Make the rows of the models asked for, before the first user starts."""
    models = environment.parsed_options.models if environment.parsed_options else "digits"
    rows.update({model: ROWS_OF[model]() for model in models.split(",")})
    # gevent's clock stood still meanwhile, and --run-time would count from before.
    gevent.sleep(0)


class Client(FastHttpUser):
    """Somebody who sends one row at a time to one of the models."""

    wait_time = constant_throughput(10)

    def on_start(self) -> None:
        """Choose a key, as clients have: where versions share a model, each user stays on one."""
        self.key = f"user-{random.randrange(10**9)}"

    @task
    def predict(self) -> None:
        """Send a row; a right reply is a 200 with one prediction and the version it came from."""
        model = random.choice(list(rows))
        path, body = f"/v1/models/{model}:predict", {"instances": [random.choice(rows[model])]}
        headers = {"X-Client-ID": self.key}
        with self.client.post(path, json=body, headers=headers, catch_response=True) as reply:
            if reply.status_code != 200:
                reply.failure(f"status {reply.status_code}: {(reply.text or '')[:200]}")
            elif not reply.headers.get("X-Model-Version", "").isdigit():
                reply.failure("no version in X-Model-Version")
            elif len(reply.json().get("predictions", [])) != 1:
                reply.failure(f"not one prediction: {(reply.text or '')[:200]}")
