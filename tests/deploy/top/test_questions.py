"""Figures from a real Prometheus whose past is known: exact where it has a metric, else None."""

from collections.abc import Iterator
from math import inf

import pytest

from deploy.errors import Refused
from deploy.prometheus import Prometheus
from deploy.top.figures import Alert, Cache, Drift, Figures, ReplicaFigures, Score
from deploy.top.questions import read_figures
from tests.deploy.top.history import Line, counter, gauge, remembering

pytestmark = pytest.mark.needs("prometheus", "promtool")

STARTED = 1_700_000_000.0
MIB = 2**20


def door(slope: float, model: str, version: str, code: str, source: str) -> Line:
    """Return requests as the door counts them."""
    named = {"model": model, "version": version, "code": code, "source": source}
    return counter("flotilla_door_requests_total", slope, **named)


def answered(replica: str, model: str, version: str, slope: float, slow: float = 0.0) -> list[Line]:
    """Return requests as a replica counts them: between 1 and 2.5 ms, or between 2.5 and 5."""
    labels = {"replica": replica, "model": model, "version": version}
    buckets = {0.001: 0.0, 0.0025: slope - slow, 0.005: slope, inf: slope}
    return [
        counter("flotilla_requests_total", slope, protocol="v1", code="200", **labels),
        counter("flotilla_rows_total", 2 * slope, **labels),
        *(
            counter("flotilla_request_duration_seconds_bucket", count, le=str(le), **labels)
            for le, count in ((str(le).replace("inf", "+Inf"), count) for le, count in buckets.items())
        ),
    ]


def cached(slopes: dict[str, float]) -> list[Line]:
    """Return rows of digits 1 by what the cache did for them."""
    labels = {"replica": "replica-1", "model": "digits", "version": "1"}
    return [
        counter("flotilla_cache_rows_total", slope, result=result, **labels)
        for result, slope in slopes.items()
    ]


REPLICAS = [
    *(gauge("up", up, job="service", replica=f"replica-{n}") for n, up in ((1, 1), (2, 1), (10, 0))),
    gauge("up", 0, job="redis"),
    gauge("flotilla_ready", 1, job="service", replica="replica-1"),
    gauge("flotilla_ready", 0, job="service", replica="replica-2"),
    gauge("process_start_time_seconds", STARTED, job="service", replica="replica-1"),
    counter("process_cpu_seconds_total", 0.375, job="service", replica="replica-1"),
    counter("process_cpu_seconds_total", 7, job="prometheus"),
    gauge("process_resident_memory_bytes", 68 * MIB, job="service", replica="replica-1"),
    gauge("flotilla_requests_in_flight", 3, job="service", replica="replica-1"),
    gauge("flotilla_queue_rows", 12, job="service", replica="replica-1"),
    *answered("replica-1", "digits", "1", 60),
    *answered("replica-2", "digits", "2", 25, slow=5),
    *answered("replica-10", "spam", "1", 5),
    *answered("replica-1", "digits", "0", 0),  # unloaded long ago
    *cached({"hit": 10, "joined": 5, "miss": 20, "error": 5, "bypass": 20}),
    gauge("flotilla_model_info", 1, replica="replica-1", model="digits", version="1", engine="linear"),
    gauge("flotilla_model_info", 1, replica="replica-2", model="digits", version="2", engine="onnx"),
    gauge("flotilla_model_info", 1, replica="replica-2", model="digits", version="10", engine="onnx"),
]
ALL = [
    *REPLICAS,
    door(40, "digits", "1", "200", "edge"),
    door(50, "digits", "1", "200", "replica"),
    door(10, "digits", "1", "503", "replica"),
    door(25, "digits", "2", "200", "replica"),
    door(5, "spam", "1", "200", "replica"),
    door(2, "", "", "404", "nginx"),
    *(
        gauge("flotilla_route_share", share, replica=replica, model="digits", version=version)
        for version, share in (("1", 0.75), ("2", 0.25), ("10", 0.0))
        for replica in ("replica-1", "replica-2")
    ),
    gauge("model:flotilla_accuracy:1h", 0.97, model="digits", version="1"),
    gauge("model:flotilla_mae:1h", 12.5, model="spam", version="1"),
    gauge("model:flotilla_feature_psi:2m", 0.05, model="digits", version="1", feature="pixel_3"),
    gauge("model:flotilla_feature_psi:2m", 0.31, model="digits", version="1", feature="pixel_7"),
    gauge("model:flotilla_feature_psi:1h", 0.9, model="digits", version="1", feature="pixel_7"),
    gauge("model:flotilla_feature_psi:1h", 0.02, model="spam", version="1", feature="(words)"),
    *(
        gauge("ALERTS", 1, alertname=name, alertstate=state, severity=severity, replica=replica)
        for name, state, severity, replica in (
            ("ModelInputDrift", "firing", "warning", ""),
            ("ReplicasFewer", "firing", "info", ""),
            ("Watchdog", "firing", "none", ""),
            ("ReplicaDown", "firing", "critical", "replica-3"),
            ("ReplicaDown", "firing", "critical", "replica-10"),
            ("RedisDown", "pending", "critical", ""),
        )
    ),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a Prometheus that has every metric."""
    with remembering(tmp_path_factory.mktemp("everything"), ALL) as url:
        yield Prometheus(url)


@pytest.fixture(scope="module")
def figures(everything: Prometheus) -> Figures:
    """Return the figures of all models."""
    return read_figures(everything)


def test_whole(figures: Figures) -> None:
    """The whole is what the door counts: what nginx answered and refused by itself included."""
    assert figures.counted_at == "door"
    assert figures.requests_per_second == pytest.approx(132)
    assert figures.error_ratio == pytest.approx(10 / 132)
    assert figures.edge_share == pytest.approx(40 / 132)
    # Of 90 requests 85 took up to 2.5 ms.
    assert figures.p50_seconds == pytest.approx(0.001 + 45 / 85 * 0.0015)
    assert figures.p99_seconds == pytest.approx(0.0025 + 4.1 / 5 * 0.0025)
    ready_up_known = (figures.replicas_ready, figures.replicas_up, figures.replicas_known)
    assert ready_up_known == (1, 2, 3)


def test_alerts(figures: Figures) -> None:
    """What fires is named once, the worst first; what is pending isn't, nor what fires always."""
    assert figures.alerts == (
        Alert("ReplicaDown", "critical", 2),
        Alert("ModelInputDrift", "warning", 1),
        Alert("ReplicasFewer", "info", 1),
    )


def test_versions(figures: Figures) -> None:
    """Versions that are loaded or asked are there, in the order of their numbers; others aren't."""
    names = [(each.model, each.version, each.engine) for each in figures.versions]
    assert names == [
        ("digits", "1", "linear"),
        ("digits", "2", "onnx"),
        ("digits", "10", "onnx"),
        ("spam", "1", None),
    ]
    one, two, ten, spam = figures.versions
    assert (one.share_wanted, two.share_wanted, ten.share_wanted) == (0.75, 0.25, 0.0)
    assert (one.share, two.share, spam.share) == pytest.approx((0.8, 0.2, 1.0))
    assert (one.requests_per_second, one.rows_per_second) == pytest.approx((100, 120))
    assert one.error_ratio == pytest.approx(0.1)
    assert two.error_ratio == 0.0
    assert two.p99_seconds == pytest.approx(0.0025 + 4.75 / 5 * 0.0025)
    assert one.p50_seconds == pytest.approx(0.00175)
    nothing = (ten.share, ten.requests_per_second, ten.error_ratio, ten.p99_seconds, ten.cache)
    assert nothing == (None,) * 5, "it is loaded and nobody asks it"


def test_cache(figures: Figures) -> None:
    """The edge has its share of the requests, the replicas' rows share out the others."""
    cache = figures.versions[0].cache
    assert isinstance(cache, Cache)
    found = (cache.edge, cache.redis, cache.miss, cache.bypass)
    assert found == pytest.approx((0.4, 0.15, 0.25, 0.2))
    assert figures.versions[1].cache is None, "nobody counted its rows"


def test_health_of_models(figures: Figures) -> None:
    """A score is an accuracy or an error; of a version's features the one that drifts most is named."""
    one, two, _, spam = figures.versions
    assert (one.score, two.score, spam.score) == (Score("accuracy", 0.97), None, Score("mae", 12.5))
    assert (one.drift, two.drift) == (Drift("pixel_7", 0.31), None)
    assert spam.drift == Drift("(words)", 0.02), "over an hour, because two minutes had too few rows"


def test_replicas(figures: Figures) -> None:
    """Each replica has its own figures; of one that is down nothing is told that was so before."""
    one, two, ten = figures.replicas
    assert one.requests_per_second == pytest.approx(60)
    assert one.p99_seconds == pytest.approx(0.001 + 0.99 * 0.0015)
    assert one == ReplicaFigures(
        "replica-1",
        up=True,
        ready=True,
        requests_per_second=one.requests_per_second,
        p99_seconds=one.p99_seconds,
        cpu=pytest.approx(0.375),
        memory_bytes=68 * MIB,
        in_flight=3.0,
        queue_rows=12.0,
        uptime_seconds=figures.at - STARTED,
    )
    assert (two.up, two.ready, two.cpu) == (True, False, None)
    assert ten == ReplicaFigures("replica-10", up=False)


def test_curves(figures: Figures) -> None:
    """The curves have a point each step of the last quarter of an hour, up to now."""
    curves = figures.curves
    assert len(curves.requests_per_second) * curves.step_seconds == 900
    assert curves.requests_per_second == pytest.approx([132] * 90)
    assert curves.p99_seconds == pytest.approx([figures.p99_seconds] * 90)


def test_one_model(everything: Prometheus) -> None:
    """Requests, versions and curves are those of the model that is named; replicas and alerts stay."""
    found = read_figures(everything, "spam")
    assert [(each.model, each.version) for each in found.versions] == [("spam", "1")]
    assert found.requests_per_second == pytest.approx(5)
    assert found.curves.requests_per_second[-1] == pytest.approx(5)
    assert (found.error_ratio, found.edge_share) == (0.0, 0.0)
    assert [each.replica for each in found.replicas] == ["replica-1", "replica-2", "replica-10"]
    assert found.replicas[0].requests_per_second is None
    assert len(found.alerts) == 3


def test_unknown_model(everything: Prometheus) -> None:
    """A name that Prometheus doesn't know is refused with those that it does, whatever is in it."""
    with pytest.raises(Refused, match=r"knows no model 'digit'; it knows digits"):
        read_figures(everything, "digit")
    with pytest.raises(Refused, match="knows no model"):
        read_figures(everything, 'digits"} or vector(1) #\\')


def test_door_that_counts_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the door's counts the replicas' stand in, and say so: the edge's share isn't known."""
    with remembering(tmp_path_factory.mktemp("replicas"), REPLICAS) as url:
        found = read_figures(Prometheus(url))
    assert (found.counted_at, found.edge_share) == ("replicas", None)
    assert found.requests_per_second == pytest.approx(90)
    assert found.curves.requests_per_second[0] == pytest.approx(90)
    one = found.versions[0]
    assert (one.share, one.requests_per_second) == pytest.approx((60 / 85, 60))
    assert one.cache is not None
    assert one.cache.redis == pytest.approx(0.25)
    assert (one.share_wanted, one.score, one.drift, found.alerts) == (None, None, None, ())


def test_nothing_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A Prometheus that has seen nothing gives figures without numbers, and no error."""
    with remembering(tmp_path_factory.mktemp("nothing"), [gauge("up", 1, job="redis")]) as url:
        found = read_figures(Prometheus(url))
    assert (found.requests_per_second, found.error_ratio, found.p50_seconds) == (None, None, None)
    assert (found.versions, found.replicas, found.alerts) == ((), (), ())
    assert set(found.curves.requests_per_second) == {None}
