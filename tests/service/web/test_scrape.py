"""The page /metrics: what Prometheus asks for, with the lines that prometheus_client doesn't know."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from service.web.scrape import metrics_app
from tests.polling import wait_until
from tests.published import published
from tests.service.replica_process import ReplicaProcess

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def more(openmetrics: bool) -> str:
    """Return one more family, and in its label which format was asked for."""
    return f'# TYPE more gauge\nmore{{open="{openmetrics}"}} 1\n'


def scraped(method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
    """Return status, headers and body."""
    registry = CollectorRegistry()
    Counter("known", "what is counted", registry=registry).inc(2)
    said: list[Any] = []
    environ = {"REQUEST_METHOD": method, **{f"HTTP_{name}": value for name, value in headers.items()}}
    body = b"".join(metrics_app(registry, more)(environ, lambda *words: said.append(words)))
    return said[0][0], dict(said[0][1]), body


@pytest.mark.parametrize(
    ("accept", "parse", "openmetrics"), [("", parse_plain, False), (OPEN, parse_open, True)]
)
def test_both_formats(accept: str, parse: Any, openmetrics: bool) -> None:
    """Everything is in one page that parses, and the lines are those of the format asked for."""
    status, headers, body = scraped(ACCEPT=accept)
    assert status == "200 OK"
    assert headers["Content-Type"].startswith("application/openmetrics-text") == openmetrics
    samples = {
        (each.name, *each.labels.values()): each.value
        for family in parse(body.decode())
        for each in family.samples
    }
    assert samples["known_total",] == 2
    assert samples["more", str(openmetrics)] == 1
    assert body.endswith(b"# EOF\n") == openmetrics
    assert body.count(b"# EOF") == openmetrics


def test_compressed() -> None:
    """It is compressed for who takes that, and for nobody else."""
    _, headers, body = scraped(ACCEPT_ENCODING="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert b"known_total 2.0" in gzip.decompress(body)
    _, headers, body = scraped()
    assert "Content-Encoding" not in headers
    assert b"known_total 2.0" in body


def test_other_methods() -> None:
    """Metrics are read, nothing else."""
    status, headers, _ = scraped("POST")
    assert status == "405 Method Not Allowed"
    assert headers["Allow"] == "GET, HEAD"


def test_replica(tmp_path: Path) -> None:
    """What a real replica answers shows as rows in bins, its version's baseline beside them."""
    sample = np.random.default_rng(1).normal(size=(100, 2))
    published(tmp_path / "registry", "line", sample=sample, routed=True)

    def series(accept: str, parse: Any) -> dict[tuple[str, ...], float]:
        page = replica.ask("GET", "/metrics", Accept=accept).body.decode()
        return {
            (each.name, each.labels.get("feature", ""), each.labels.get("bin", "")): each.value
            for family in parse(page)
            for each in family.samples
        }

    with ReplicaProcess(tmp_path / "registry", REDIS_URL="") as replica:
        replica.wait_until_ready()
        assert replica.predict("line", [99.0, -99.0], [99.0, 0.0]).status == 200
        for accept, parse in (("text/plain", parse_plain), (OPEN, parse_open)):
            shown = series(accept, parse)
            rows = {key: value for key, value in shown.items() if key[0] == "flotilla_drift_rows_total"}
            last = max(name for _, feature, name in rows if feature == "x[0]")
            key = ("flotilla_drift_rows_total", "x[0]", last)
            wait_until(lambda: series(accept, parse)[key] == 2)  # noqa: B023  # called at once
            shares = [
                v for (n, f, _), v in shown.items() if (n, f) == ("flotilla_baseline_share", "x[1]")
            ]
            assert sum(shares) == pytest.approx(1)
            assert any(feature == "(prediction)" for _, feature, _ in rows)
