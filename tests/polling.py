"""Waiting with a deadline: what tests do instead of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

PATIENCE_SECONDS = 15.0
EVERY_SECONDS = 0.005

Result = TypeVar("Result")


def run(scenario: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in an event loop of its own, and fail where it hangs."""
    return asyncio.run(asyncio.wait_for(scenario, 2 * PATIENCE_SECONDS))


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait in the event loop until a function, or a coroutine function, gives true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        assert time.monotonic() < deadline, f"still not true: {condition}"
        await asyncio.sleep(EVERY_SECONDS)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a function gives true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still not true: {condition}"
        time.sleep(EVERY_SECONDS)
