"""Traces of requests, by OpenTelemetry: one tree of spans for each request that is traced.

Only imported where OTEL_EXPORTER_OTLP_ENDPOINT says where to send them (`service.asgi`); without it a
request passes no line of this. On the event loop only times are taken; a thread of its own makes spans
of them and sends them.
"""
