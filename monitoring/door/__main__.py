"""The door's counter: `python -m monitoring.door FOLDER --bind ADDRESS:PORT`.

A process of its own beside nginx. Where it isn't there, nginx serves all the same.
"""

import signal
import threading
from pathlib import Path

import click
from prometheus_client import (
    PROCESS_COLLECTOR,
    CollectorRegistry,
    disable_created_metrics,
    start_http_server,
)

from monitoring.door.collector import DoorCollector
from monitoring.door.reader import Reader
from service.log_lines import write_lines

EVERY_SECONDS = 0.25


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--bind", default="127.0.0.1:9099", show_default=True, help="Where Prometheus asks.")
def main(folder: Path, bind: str) -> None:
    """Count the tally that nginx writes into FOLDER until told to stop."""
    write_lines("info", ("monitoring.door",))
    disable_created_metrics()  # type: ignore[no-untyped-call]
    reader = Reader(folder)
    registry = CollectorRegistry()
    registry.register(PROCESS_COLLECTOR)
    registry.register(DoorCollector(lambda: reader.counts))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    address, _, port = bind.rpartition(":")
    server, thread = start_http_server(int(port), address, registry)
    while not stop.is_set():
        if not reader.read():
            stop.wait(EVERY_SECONDS)
    while reader.read():  # what nginx wrote when it ended
        pass
    reader.close()
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    main()
