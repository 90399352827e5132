"""The options of a run: `locust --help` and Locust's page show them beside its own."""

import os
from argparse import ArgumentTypeError
from typing import Any

from locust.argument_parser import LocustArgumentParser

from deploy.local.settings import LocalSettings
from loadtest.scenarios.scenarios import SCENARIOS
from loadtest.scenarios.stages import length_seconds
from loadtest.scenarios.thresholds import Limits

# In an open loop users only spread the arrivals over processes and connections.
USERS_OF_ARRIVALS = 20
# Folders and commands of this machine are nothing for whoever has the page.
_NOT_ON_THE_PAGE: dict[str, Any] = {"include_in_web_ui": False}


def add_options(parser: LocustArgumentParser) -> None:
    """Add the options; users come quickly, to the stack of this machine."""
    settings = LocalSettings.read(os.environ)
    parser.set_defaults(host=settings.url, spawn_rate=50)
    ask, told = parser.add_argument, _NOT_ON_THE_PAGE
    ask("--scenario", choices=[*SCENARIOS], default="steady", help=_scenarios())
    ask("--models", default="", help="With commas; empty: digits, for `mixed` all models.")
    ask("--batch-rows", type=_count, default=64, help="Rows of each request of `batch`.")
    ask("--user-rate", type=_number, default=10.0, help="Requests a second of a user; 0: no pause.")
    ask("--arrivals", type=_number, default=0.0, help="Open loop: requests a second in all.")
    ask("--max-in-flight", type=_count, default=1000, help="Most arrivals on their way; others wait.")
    ask(
        "--registry",
        default=str(settings.registry),
        help="Where rows and right answers come from; without such a folder rows are made up.",
        **told,
    )
    ask(
        "--update-command",
        action="append",
        default=[],
        help="To be run during the load, as in 'flotilla activate digits 2'; several take turns.",
        **told,
    )
    ask("--update-seconds", type=_number, default=5.0, help="Pause before each of them.", **told)
    # Beyond one of these the exit code is 1.
    ask("--max-fail-ratio", type=_number, default=0.0, help="Share of requests that may fail, 0 to 1.")
    ask("--max-p95-ms", type=_number, default=0.0, help="95 %% are answered within this; 0: no limit.")
    ask("--max-p99-ms", type=_number, default=0.0, help="99 %% are answered within this; 0: no limit.")


def limits(options: Any) -> Limits:
    """Return the thresholds of a run."""
    return Limits(
        fail_ratio=options.max_fail_ratio,
        p95_ms=options.max_p95_ms or None,
        p99_ms=options.max_p99_ms or None,
        versions=2 if options.scenario == "update" else 0,
    )


def share_arrivals(options: Any) -> None:
    """Note for the workers what each user's part of arrivals and connections is."""
    users = max(1, options.num_users or 1)
    options.arrivals_each = options.arrivals / users
    options.in_flight_each = max(1, -(-options.max_in_flight // users))


def _scenarios() -> str:
    lines = []
    for name, scenario in SCENARIOS.items():
        length = f"; {length_seconds(scenario.stages):g} s, or --run-time" if scenario.stages else ""
        lines.append(f"{name}: {scenario.about}{length}")
    return ". ".join(lines).replace("%", "%%") + "."


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"{text}: expected a number from 0")
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 100_000:
        raise ArgumentTypeError(f"{text}: expected a whole number from 1 to 100000")
    return int(text)
