"""Fixtures of the service's tests."""

from collections.abc import Iterator

import pytest

from tests.service.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Return a real Redis that runs and holds nothing."""
    with RedisServer() as server:
        yield server
