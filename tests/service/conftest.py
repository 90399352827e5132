"""Fixtures of the service's tests: a real Redis, and one real replica with all models for a session."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Obedient
from tests.published import LINE_SAMPLE, published
from tests.service.followed import Clock, copied, route_to
from tests.service.redis_server import RedisServer
from tests.service.replica_process import ReplicaProcess

REPLICA_SETTINGS = {"MAX_QUEUE_ROWS": "256", "MAX_ROWS": "1000", "MAX_BODY_BYTES": "500000"}


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Return a real Redis that runs and holds nothing."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which `a` has four versions and `b` two, the first ones routed; to copy."""
    registry = tmp_path_factory.mktemp("lines") / "registry"
    for name, more in (("a", 3), ("b", 1)):
        published(registry, name, routed=True)
        for _ in range(more):
            published(registry, name)
    return registry


@pytest.fixture
def own_lines(lines: Path, tmp_path: Path) -> Path:
    """Return a copy of `lines`, to be changed."""
    return copied(lines, tmp_path / "registry")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the monotonic clock of the whole process; it stands until it is moved."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture(scope="session")
def replica_registry(sample_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with the samples, two versions of `line`, and `told`, which takes orders.

    `line` version 2 is routed as a shadow: it is loaded, and answers who asks for it by name.
    """
    registry = tmp_path_factory.mktemp("replica") / "registry"
    shutil.copytree(sample_registry, registry, symlinks=True)
    published(registry, "line", routed=True)
    published(registry, "line")
    route_to(registry, "line", {"1": 100.0}, shadow="2")
    obedient = Obedient().fit(LINE_SAMPLE)
    published(registry, "told", obedient, trusted=["tests.fakes.Obedient"], routed=True)
    return registry


@pytest.fixture(scope="session")
def replica(replica_registry: Path) -> Iterator[ReplicaProcess]:
    """Return a replica without a cache that holds all models."""
    with ReplicaProcess(replica_registry, REDIS_URL="", **REPLICA_SETTINGS) as running:
        running.wait_until_ready()
        yield running
