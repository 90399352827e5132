"""An OTLP/HTTP receiver in this process, where a test needs a collector: it decodes what it is sent.

No collector can be had as a package; the messages are read with OpenTelemetry's own protobuf classes.
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.fakes import Listening


class ReceivedSpan(NamedTuple):
    """A span as it came; times in nanoseconds, ids in hexadecimal digits."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    kind: int
    failed: bool
    began: int
    ended: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


class InProcessOtlpReceiver(Listening):
    """Takes spans at `url`; `headers` are those of the last message, `status` is what it answers."""

    def __init__(self) -> None:
        self.spans: list[ReceivedSpan] = []
        self.headers: dict[str, str] = {}
        self.messages = 0
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                assert self.headers["Content-Type"] == "application/x-protobuf"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.headers = dict(self.headers)
                receiver.messages += 1
                if receiver.status == 200:
                    receiver.spans += read_spans(body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(receiver.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        super().__init__(Handler)


def read_spans(body: bytes) -> list[ReceivedSpan]:
    """Return the spans of a message."""
    message = ExportTraceServiceRequest()
    message.ParseFromString(body)
    return [
        _received(span, _values(group.resource.attributes))
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _received(span: trace_pb2.Span, resource: dict[str, Any]) -> ReceivedSpan:
    return ReceivedSpan(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _values(span.attributes),
        resource,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
