"""The page /metrics: what prometheus_client shows, and lines that others have put together themselves.

Mounted by `service.web.app`; in place of prometheus_client's own application, which takes nothing in.
"""

import gzip
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

_END = b"# EOF\n"  # of OpenMetrics
# Lines that differ in a few characters: more than the least effort saves little.
_EFFORT = 1


def metrics_app(registry: CollectorRegistry, more: Callable[[bool], str]) -> Any:
    """Return a WSGI application; `more` gives lines, and is told whether they are for OpenMetrics."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD")])
            return [b""]
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        page = encode(registry)
        body = page.removesuffix(_END)
        lines = more(content_type.startswith("application/openmetrics-text")).encode()
        body = body + lines + page[len(body) :]
        headers = [("Content-Type", content_type)]
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            body = gzip.compress(body, _EFFORT)
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", headers)
        return [body]

    return app
