"""Figures from a real Prometheus that scrapes two replicas: exact when new, right after a restart."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from deploy.canary.figures import Answers, Shadowed, read_figures, read_shadowed
from deploy.canary.verdict import PrometheusJudge, Thresholds
from deploy.errors import Refused
from deploy.prometheus import Prometheus
from service.counting.counts import SECONDS
from service.counting.metrics import Metrics
from tests.polling import wait_until
from tests.prometheus import running_prometheus
from tests.stack.stack import free_ports

LONG, SHORT = 300, 5
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: service
    static_configs: [{{targets: [{targets}]}}]
"""


class Replica:
    """Shows the metrics of a replica on a port of its own; `restart` begins them anew."""

    def __init__(self) -> None:
        self.restart()
        replica = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(generate_latest(replica.registry))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def restart(self) -> None:
        """Forget what was counted."""
        registry, which = CollectorRegistry(), ("model", "version")
        self.requests = Counter(
            "flotilla_requests", "…", (*which, "protocol", "code"), registry=registry
        )
        self.seconds = Histogram(
            "flotilla_request_duration_seconds", "…", which, buckets=SECONDS, registry=registry
        )
        self.shadow = Counter(
            "flotilla_shadow_rows", "…", (*which, "shadow", "result"), registry=registry
        )
        self.labels = Counter("flotilla_predictions", "…", (*which, "label"), registry=registry)
        self.numbers = [
            Gauge(f"flotilla_prediction_{name}", "…", which, registry=registry)
            for name in ("count", "sum", "sum_of_squares")
        ]
        self.registry = registry

    def answer(self, model: str, version: str, code: int, times: int, seconds: float = 0.003) -> None:
        """Count requests, half of them of each protocol."""
        for protocol in ("v1", "v2"):
            self.requests.labels(model, version, protocol, str(code)).inc(times / 2)
        for _ in range(times):
            self.seconds.labels(model, version).observe(seconds)

    def predict(self, model: str, count: float, total: float, squares: float) -> None:
        """Add to the sums of predicted numbers."""
        for gauge, more in zip(self.numbers, (count, total, squares), strict=True):
            gauge.labels(model, "1").inc(more)


class Monitored:
    """Two replicas, and the Prometheus that looks at them every second."""

    def __init__(self, replicas: list[Replica], url: str) -> None:
        self.replicas = replicas
        self.url = url
        self.prometheus = Prometheus(url)

    def requests(self, model: str, version: str, seconds: float) -> float:
        """Return the requests of a version."""
        return read_figures(self.prometheus, model, version, seconds, self.prometheus.now()).requests

    def answers(self, model: str, seconds: float) -> Answers:
        """Return what version 1 of a model has predicted."""
        return read_figures(self.prometheus, model, "1", seconds, self.prometheus.now()).answers


def running(monitored: Monitored) -> bool:
    """Tell whether Prometheus has looked at both replicas."""
    try:
        return sum(each.value for each in monitored.prometheus.vector('up{job="service"}')) == 2
    except Refused:
        return False


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Run two replicas and a Prometheus; each test has a model of its own."""
    folder = tmp_path_factory.mktemp("prometheus")
    replicas = [Replica(), Replica()]
    for replica in replicas:
        threading.Thread(target=replica.server.serve_forever, args=(0.05,)).start()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(targets=", ".join(f'"{each.address}"' for each in replicas)))
    try:
        with running_prometheus(folder, free_ports(1, 29000)[0]) as url:
            found = Monitored(replicas, url)
            wait_until(lambda: running(found))
            yield found
    finally:
        for replica in replicas:
            replica.server.shutdown()
            replica.server.server_close()


needs_prometheus = pytest.mark.needs("prometheus")


def test_stand_in() -> None:
    """The replicas of these tests show the service's metrics: its names, kinds and labels."""
    shown = {(each.name, each.type, tuple(each._labelnames)) for each in Metrics().counted.describe()}
    replica = Replica()
    replica.server.server_close()
    kept = [replica.requests, replica.seconds, replica.shadow, replica.labels, *replica.numbers]
    assert {(each._name, each._type, tuple(each._labelnames)) for each in kept} <= shown


@needs_prometheus
def test_figures(monitored: Monitored) -> None:
    """All replicas' counts make one version's figures, other versions' and models' none of them."""
    one, two = monitored.replicas
    one.labels.labels("figures", "1", "spam").inc(30)
    two.labels.labels("figures", "1", "spam").inc(20)
    two.labels.labels("figures", "1", "ham").inc(50)
    one.labels.labels("other", "1", "ham").inc(50)
    for version, shadow, result, rows in (
        ("1", "2", "agree", 80),
        ("1", "2", "disagree", 5),
        ("1", "2", "failed", 10),
        ("1", "2", "dropped", 1000),
        ("2", "1", "agree", 10),
        ("2", "1", "disagree", 5),
        ("2", "1", "failed", 7),
        ("1", "3", "disagree", 99),
    ):
        two.shadow.labels("figures", version, shadow, result).inc(rows)
    for replica in (one, two):
        for code, times in ((200, 450), (400, 20), (429, 6), (499, 4), (404, 10), (503, 6), (500, 4)):
            replica.answer("figures", "1", code, times)
    one.answer("figures", "2", 200, 98)
    one.answer("figures", "2", 200, 2, seconds=0.2)
    wait_until(
        lambda: (
            (monitored.requests("figures", "1", LONG), monitored.requests("figures", "2", LONG))
            == (1000, 100)
        )
    )
    at = monitored.prometheus.now()
    live, canary = (read_figures(monitored.prometheus, "figures", n, LONG, at) for n in ("1", "2"))
    assert (live.error_rate, live.refused_rate) == (0.02, 0.06), "429 and 499 aren't the model's"
    assert live.p99_seconds == pytest.approx(0.0025 + 0.99 * 0.0025)
    assert live.p99_low_seconds == pytest.approx(0.0025 + (0.99 - 0.00518) * 0.0025, rel=1e-4)
    assert live.answers == Answers({"spam": 50.0, "ham": 50.0}, 100.0)
    # Two slow requests of a hundred: p99 is between them, but may as well be below.
    assert 0.1 < canary.p99_seconds <= 0.25
    assert canary.p99_low_seconds < 0.005
    assert (canary.error_rate, canary.answers) == (0.0, Answers())
    shadowed = read_shadowed(monitored.prometheus, "figures", "1", "2", LONG, at)
    assert shadowed == Shadowed(compared=100, disagreeing=10, asked=95, failed=10)
    nobody = read_figures(monitored.prometheus, "figures", "9", LONG, at)
    assert (nobody.requests, nobody.error_rate, nobody.p99_seconds) == (0, None, None)


@needs_prometheus
def test_window(monitored: Monitored) -> None:
    """What was counted before the window is none of it, and what came in it is."""
    replica = monitored.replicas[0]
    replica.answer("window", "1", 200, 1000)
    replica.predict("window", 100, -500, 2600)
    wait_until(lambda: monitored.requests("window", "1", LONG) == 1000)
    wait_until(lambda: monitored.requests("window", "1", SHORT) == 0)
    assert monitored.answers("window", SHORT) == Answers()
    replica.answer("window", "1", 500, 50)
    replica.predict("window", 10, -20, 44)
    wait_until(lambda: monitored.answers("window", SHORT) == Answers({}, 10, -20, 44))
    figures = read_figures(monitored.prometheus, "window", "1", SHORT, monitored.prometheus.now())
    assert figures.requests == pytest.approx(50, rel=0.5), "Prometheus extrapolates"
    assert figures.error_rate == pytest.approx(1.0)


@needs_prometheus
def test_restart(monitored: Monitored) -> None:
    """A replica that begins anew takes nothing away: what it has counted since is in the window."""
    one, two = monitored.replicas
    one.predict("restart", 100, -500, 2600)
    two.predict("restart", 100, 500, 2600)
    wait_until(lambda: monitored.answers("restart", LONG) == Answers({}, 200, 0, 5200))
    wait_until(lambda: monitored.answers("restart", SHORT) == Answers({}, 0, 0, 0))
    one.restart()
    one.predict("restart", 7, -21, 70)
    two.predict("restart", 3, 9, 30)
    wait_until(lambda: monitored.answers("restart", SHORT) == Answers({}, 10, -12, 100))


@needs_prometheus
def test_judge(monitored: Monitored) -> None:
    """The judge of a canary reads both versions' figures, and the live one's before it began."""
    one, two = monitored.replicas
    one.answer("judge", "1", 200, 500)
    wait_until(lambda: monitored.requests("judge", "1", LONG) == 500)
    judge = PrometheusJudge(monitored.url, "judge", Thresholds())
    assert judge("1", "2", LONG).outcome == "too few"
    two.answer("judge", "2", 200, 180)
    two.answer("judge", "2", 500, 20, seconds=0.05)
    two.answer("judge", "1", 200, 500, seconds=0.05)  # as slow, because it shares the cores
    two.shadow.labels("judge", "1", "2", "disagree").inc(100)
    wait_until(lambda: len(judge("1", "2", LONG).breaches) == 3)
    found = judge("1", "2", LONG)
    errors, p99, disagreement = found.breaches
    assert errors.startswith("10 % of its requests fail with 5xx, of the live version's 0 %")
    assert p99.startswith("p99 is 48 ms, the live version's is 5.0 ms: 9.5 times as much")
    assert disagreement.startswith("it answers 100 of 100 rows otherwise")
    assert found.outcome == "breach"
    assert found.summary.startswith("requests 200 (1,000), errors 10 % (0 %)")


@needs_prometheus
def test_query_that_is_none(monitored: Monitored) -> None:
    """What Prometheus refuses is refused with its words."""
    with pytest.raises(Refused, match=r"Prometheus at .* answers 400: .*parse error"):
        monitored.prometheus.vector("sum(")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_no_prometheus(url: str) -> None:
    """Where none answers, a canary is refused before it begins, with the settings that matter."""
    with pytest.raises(Refused, match=f"Prometheus doesn't answer at {url}: .*PROMETHEUS_URL"):
        PrometheusJudge(url, "m", Thresholds())


def test_not_prometheus() -> None:
    """A server that is no Prometheus is refused as well."""
    replica = Replica()
    thread = threading.Thread(target=replica.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with pytest.raises(Refused, match="Prometheus doesn't answer"):
            Prometheus(f"http://{replica.address}").now()
    finally:
        replica.server.shutdown()
        replica.server.server_close()
        thread.join()
