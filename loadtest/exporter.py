"""Shows a running load test to Prometheus: Locust's events come in, `/metrics` on a port goes out.

`add_metrics(events)` in a locustfile is all it takes. With several processes the master shows the sum.
A stack without Docker is told where the port is by a file among its Prometheus' targets, for as long as
Locust runs: a target that is always there would be down whenever no test is.
"""

import json
import logging
import os
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from gevent.pywsgi import WSGIServer  # type: ignore[import-untyped]
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner
from prometheus_client import CollectorRegistry, make_wsgi_app

from deploy.local.settings import LocalSettings
from loadtest.tally import Tallies

PORT = 9646
KEY = "flotilla_counted"  # in what a worker reports to the master, beside Locust's own

logger = logging.getLogger(__name__)


def add_metrics(events: Any) -> None:  # Any: Locust's own type has methods without types
    """Add the options, and count once Locust knows what this process is."""
    events.init_command_line_parser.add_listener(_add_options)
    events.init.add_listener(_start)


def _add_options(parser: LocustArgumentParser) -> None:
    where = {"include_in_web_ui": False}
    parser.add_argument(
        "--metrics-port", type=_port, default=PORT, help="For Prometheus; 0: none.", **where
    )
    parser.add_argument(
        "--metrics-host", default="127.0.0.1", help="0.0.0.0 lets other machines ask.", **where
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"{text}: expected a port, or 0 for no metrics")
    return int(text)


def _start(environment: Environment, **_: Any) -> None:
    """Begin to count in a worker or a single process, and to show that in a master or a single one."""
    options, runner = environment.parsed_options, environment.runner
    if options is None or runner is None or not options.metrics_port:
        return
    events: Any = environment.events
    tallies = Tallies(lambda: runner.user_count)

    def count(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
        tallies.count(name, response_time / 1000, exception is not None)

    events.request.add_listener(count)
    if isinstance(runner, WorkerRunner):

        def report(client_id: str, data: dict[str, Any]) -> None:
            data[KEY] = tallies.take()

        events.report_to_master.add_listener(report)
        return

    def add(client_id: str, data: dict[str, Any]) -> None:
        tallies.add(data.get(KEY, {}))

    events.worker_report.add_listener(add)
    _serve(events, tallies, options.metrics_host, options.metrics_port)


def _serve(events: Any, tallies: Tallies, host: str, port: int) -> None:
    """Show the counts until Locust quits; where the port is taken, the test goes on without."""
    registry = CollectorRegistry()
    registry.register(tallies)
    server = WSGIServer((host, port), make_wsgi_app(registry), log=None)
    try:
        server.start()
    except OSError as error:
        logger.warning(
            "No metrics of this test: port %s on %s can't be used (%s); --metrics-port says which one",
            port,
            host,
            os.strerror(error.errno or 0),
        )
        return
    target = _announce(port)

    def stop(**_: Any) -> None:
        if target:
            target.unlink(missing_ok=True)
        server.stop()

    events.quitting.add_listener(stop)


def _announce(port: int) -> Path | None:
    """Tell the local stack's Prometheus, if there is one, where to look; return the file that does."""
    folder = LocalSettings.read(os.environ).flotilla_home / "prometheus" / "targets"
    if not folder.is_dir():
        return None
    target = folder / f"loadtest-{port}.json"
    beside = target.with_suffix(".new")
    said = [{"targets": [f"127.0.0.1:{port}"], "labels": {"job": "loadtest"}}]
    beside.write_text(json.dumps(said))
    beside.rename(target)  # it is never half written, which Prometheus would complain of
    return target.resolve()
