"""One stack of each kind for all tests of a session: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest

from tests.stack.containers import ComposeStack
from tests.stack.local import LocalStack
from tests.stack.stack import Stack

# The cost gate would let one of the samples alone use Redis, and only while that pays.
SETTINGS = {"CACHE_BY_MODEL": "digits=always,drill=always,audited=always"}


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """Return a running stack without Docker."""
    with LocalStack(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def docker_stack() -> Iterator[ComposeStack]:
    """Return a running stack in containers."""
    with ComposeStack(**SETTINGS) as running:
        yield running


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("local", marks=pytest.mark.needs("nginx", "redis-server", "prometheus")),
        pytest.param("docker", marks=pytest.mark.needs("docker")),
    ],
)
def stack(request: pytest.FixtureRequest) -> Stack:
    """Return one after the other: what a test promises holds for both."""
    return request.getfixturevalue(f"{request.param}_stack")
