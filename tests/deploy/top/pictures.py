"""Figures made by hand for the tests of the screen: two models, three replicas, two alerts."""

import time
from math import sin

from deploy.top.figures import (
    Alert,
    Cache,
    Curves,
    Drift,
    Figures,
    ReplicaFigures,
    Score,
    VersionFigures,
)

# Wherever the test runs, it is eight seconds past noon.
NOON = time.mktime((2024, 5, 1, 12, 0, 8, 0, 0, -1))
URL = "http://127.0.0.1:9090"
MIB = 2**20


def version(model: str, number: str, **known: object) -> VersionFigures:
    """Return a version of which nothing else is known."""
    names = [
        *("engine", "share_wanted", "share", "requests_per_second", "rows_per_second"),
        *("p50_seconds", "p99_seconds", "error_ratio", "cache", "score", "drift"),
    ]
    return VersionFigures(model=model, version=number, **(dict.fromkeys(names) | known))


BUSY = Figures(
    at=NOON,
    url=URL,
    counted_at="door",
    replicas_ready=1,
    replicas_up=2,
    replicas_known=3,
    requests_per_second=26_420.0,
    error_ratio=0.0004,
    p50_seconds=0.000_41,
    p99_seconds=0.0021,
    edge_share=0.43,
    alerts=(Alert("ReplicaDown", "critical", 2), Alert("ModelInputDrift", "warning", 1)),
    versions=(
        version(
            "digits",
            "1",
            engine="linear",
            share_wanted=0.75,
            share=0.762,
            requests_per_second=19_800.0,
            rows_per_second=11_300.0,
            p50_seconds=0.000_38,
            p99_seconds=0.0019,
            error_ratio=0.0,
            cache=Cache(0.5, 0.25, 0.125, 0.125),
            score=Score("accuracy", 0.9712),
            drift=Drift("pixel_12", 0.04),
        ),
        version(
            "digits",
            "2",
            engine="onnx",
            share_wanted=0.25,
            share=0.238,
            requests_per_second=6180.0,
            rows_per_second=3520.0,
            p50_seconds=0.000_62,
            p99_seconds=0.0140,
            error_ratio=0.0132,
            cache=Cache(0.4, 0.0, 0.0, 0.6),
            score=Score("accuracy", 0.91),
            drift=Drift("pixel_12", 0.31),
        ),
        version("house-prices", "1", share_wanted=1.0, score=Score("mae", 12_345.6)),
    ),
    replicas=(
        ReplicaFigures(
            "replica-1", True, True, 7510.0, 0.0019, 0.72, 68 * MIB, 12.0, 0.0, 2 * 3600 + 13 * 60
        ),
        ReplicaFigures("replica-2", True, False, 0.0, None, 1.0, 204 * MIB, 0.0, 64.0, 12.0),
        ReplicaFigures("replica-3", up=False),
    ),
    curves=Curves(
        10,
        (*[None] * 50, *(20_000 + 6000 * sin(n / 4) for n in range(40))),
        (*[None] * 50, *(0.002 + 0.0019 * sin(n / 3) for n in range(40))),
    ),
)
NOTHING = Figures(
    at=NOON,
    url=URL,
    counted_at="replicas",
    replicas_ready=0,
    replicas_up=0,
    replicas_known=0,
    requests_per_second=None,
    error_ratio=None,
    p50_seconds=None,
    p99_seconds=None,
    edge_share=None,
    alerts=(),
    versions=(),
    replicas=(),
    curves=Curves(10, (None,) * 90, (None,) * 90),
)
