"""One local stack for all stack tests of a session: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest

from tests.stack.local import LocalStack

PROGRAMS = ("nginx", "redis-server", "prometheus")


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Return a running stack with two replicas and all samples."""
    with LocalStack() as running:
        yield running
