"""Sends traces: journeys come in on the event loop, spans go to the collector from a thread.

The SDK's BatchSpanProcessor would do the same with spans that the loop had to make first, and complains
of every one that it has no room for. Here the loop pays for a tuple; this thread takes 90 µs for a
request, most of it in the encoder.
"""

import itertools
import logging
import threading
import time
from collections import deque

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.util.re import parse_env_headers

from service.settings import Settings
from service.tracing.journey import Journey
from service.tracing.spans import Spans

log = logging.getLogger("service.tracing")

EVERY_SECONDS = 1.0
MOST_WAITING = 4096  # requests; the oldest are left out beyond that
MOST_AT_ONCE = 128  # requests in one message
TIMEOUT_SECONDS = 5.0  # of one message, with the exporter's own retries
STOP_SECONDS = 2.0
SECONDS_BETWEEN_LINES = 60.0


class Sender:
    """The thread of one replica. Whatever the collector does, `trace` costs a microsecond."""

    def __init__(self, settings: Settings) -> None:
        self._waiting: deque[Journey] = deque(maxlen=MOST_WAITING)
        self.trace = self._waiting.append
        self._spans = Spans(settings.otel_service_name, settings.replica_name)
        self._exporter = OTLPSpanExporter(
            endpoint=settings.otel_exporter_otlp_endpoint.rstrip("/") + "/v1/traces",
            headers=parse_env_headers(settings.otel_exporter_otlp_headers, liberal=True),
            timeout=TIMEOUT_SECONDS,
        )
        _quieten("opentelemetry")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send_forever, name="traces", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what waits and end; what a collector doesn't take in time is lost."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _send_forever(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        """Send what has come until now; what comes meanwhile waits for the next time."""
        for _ in range(0, len(self._waiting), MOST_AT_ONCE):
            count = min(MOST_AT_ONCE, len(self._waiting))
            journeys = [self._waiting.popleft() for _ in range(count)]
            self._exporter.export([*itertools.chain.from_iterable(map(self._spans.of, journeys))])


class OnceAMinute(logging.Handler):
    """Passes on the first of a minute's complaints: a collector that is gone is no news each second."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Say it as ours."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + SECONDS_BETWEEN_LINES
            log.warning("traces are lost: %s", record.getMessage())


def _quieten(name: str) -> None:
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.handlers = [OnceAMinute()]
