"""Traces through the door: a client's trace goes on in the replica that answers."""

import pytest

from deploy.local.supervisor import wait_until
from tests.service.otlp_receiver import InProcessOtlpReceiver
from tests.stack.ask import ask
from tests.stack.local import LocalStack

pytestmark = pytest.mark.needs("nginx", "redis-server", "prometheus")

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PATH = "/v1/models/digits:predict"
CLIENTS = {"X_Request_ID": "traced-1", "traceparent": f"00-{TRACE}-{SPAN}-01"}


def test_a_clients_trace_goes_on() -> None:
    """What a client asks through nginx is part of its trace, with the same id as in the logs."""
    with InProcessOtlpReceiver() as receiver:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_TRACES_SAMPLER_ARG": "0",
        }
        with LocalStack(replicas=1, samples="digits", **settings) as stack:
            ask(stack.url, "POST", PATH, {"instances": [[0.0] * 64]})
            ask(stack.url, "POST", PATH, {"instances": [[1.0] * 64]}, **CLIENTS)
            assert wait_until(lambda: len(receiver.spans) == 5, 15), receiver.spans
    request, *below = receiver.spans
    assert {span.trace_id for span in receiver.spans} == {TRACE}
    assert request.parent == SPAN
    assert {span.parent for span in below} == {request.span_id}
    assert request.attributes["flotilla.request_id"] == "traced-1"
    assert request.attributes["flotilla.replica"] == "replica-1"
