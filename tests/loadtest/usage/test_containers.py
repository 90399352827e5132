"""Real containers: what the kernel counts for one that has a quota, and for one that has none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtest.study.study import Part
from loadtest.usage import Usage
from tests.polling import wait_until
from tests.stack.containers import DEBIAN_IMAGES, ROOT, docker, inspect

pytestmark = pytest.mark.needs("docker")

BURN = "while :; do :; done"


def image() -> str:
    """Return an image with a shell that the stack needs anyway: its Redis."""
    built = re.search(r"^REDIS_IMAGE=(\S+)", DEBIAN_IMAGES.read_text(), re.MULTILINE)
    if built and docker("image", "ls", "--quiet", built[1]):
        return built[1]
    official = re.search(r"\$\{REDIS_IMAGE:-(\S+?)\}", (ROOT / "docker-compose.yml").read_text())
    assert official
    return official[1]


@contextmanager
def burning(*options: str) -> Iterator[tuple[str, int]]:
    """Run a container that uses all the processor time it gets; yield its id and its first process."""
    container = docker("run", "--detach", "--rm", *options, image(), "sh", "-c", BURN).strip()
    try:
        yield container, inspect(container)["State"]["Pid"]
    finally:
        if docker("container", "ls", "--quiet", "--no-trunc", "--filter", f"id={container}"):
            docker("container", "rm", "--force", container)


def used(usage: Usage, periods: int) -> dict[str, Part]:
    """Return what the parts used, once the one with a quota had so many periods."""
    found: dict[str, Part] = {}

    def enough() -> bool:
        parts, _ = usage.stop()
        found.update(parts or {})
        return found["held"].periods >= periods

    wait_until(enough)
    return found


def test_a_quota_and_none() -> None:
    """0.2 CPUs are 20 ms of each 100; who has no quota is never held back."""
    with burning("--cpus", "0.2") as (_, held), burning() as (_, free):
        usage = Usage({"held": held, "free": free}, "cgroup")
        usage.start()
        parts = used(usage, periods=10)
    assert parts["held"].quota_cpus == 0.2
    assert parts["held"].throttled_periods > 0
    assert parts["held"].throttled_seconds > 0
    assert parts["held"].cpu_seconds / parts["held"].periods < 0.03
    assert parts["held"].memory_bytes > 50_000
    free_part = parts["free"]
    assert (free_part.quota_cpus, free_part.periods, free_part.throttled_periods) == (None, 0, 0)
    assert free_part.cpu_seconds > 0


def test_a_quota_that_is_changed() -> None:
    """What `docker update` sets is what is read."""
    with burning("--cpus", "0.2") as (container, pid):
        docker("container", "update", "--cpus", "0.5", container)
        parts, _ = Usage({"a": pid}, "cgroup").stop()
    assert parts is not None
    assert parts["a"].quota_cpus == 0.5


def test_a_container_that_ends_meanwhile() -> None:
    """The others are read all the same, and nothing is read of it."""
    with burning() as (_, stays):
        with burning() as (_, ends):
            usage = Usage({"stays": stays, "ends": ends}, "cgroup")
            usage.start()
        parts, host = usage.stop()
    assert parts is not None
    assert parts.keys() == {"stays"}
    assert host is not None
