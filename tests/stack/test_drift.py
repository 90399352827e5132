"""Drift from end to end: rows as published raise nothing, a shifted feature its index and an alert."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from deploy.prometheus import Prometheus
from loadtest.client import Load, Payload
from service.example import example_rows
from service.manifest import read_manifest
from tests.stack.ask import ask
from tests.stack.local import LocalStack

MODEL = "house-prices"
RATE = 150.0  # a second, of two replicas: all rows are looked at
WINDOW_SECONDS = 120
SHIFTED = "year_built"
PSI = f'model:flotilla_feature_psi:2m{{model="{MODEL}"}}'


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Return a stack of its own: nobody else's traffic falls into its windows."""
    with LocalStack(samples=MODEL) as running:
        yield running


def payloads(stack: LocalStack, shift: Callable[[dict[str, Any]], None], count: int) -> list[Payload]:
    """Return requests for rows of the sample, drawn anew, none twice: the edge would answer repeats."""
    version = stack.registry / MODEL / "1"
    rows = example_rows(version, read_manifest(version).signature, 1000)
    made = []
    for at in range(count):
        row = dict(random.choice(rows))
        row["size_m2"] += at * 1e-7
        shift(row)
        made.append(Payload(msgspec.json.encode({"instances": [row]}), None))
    return made


def indices(stack: LocalStack) -> dict[str, float]:
    """Return PSI by feature."""
    found = Prometheus(stack.prometheus_url).vector(PSI)
    return {series.labels["feature"]: series.value for series in found}


def alerts(stack: LocalStack) -> list[tuple[str, str, str]]:
    """Return name, feature and state of each alert of drift that is pending or fires."""
    found = ask(stack.prometheus_url, "GET", "/api/v1/alerts").json["data"]["alerts"]
    return [
        (each["labels"]["alertname"], each["labels"].get("feature", ""), each["state"])
        for each in found
        if each["labels"]["alertname"] in ("ModelInputDrift", "ModelPredictionDrift")
    ]


async def seen(stack: LocalStack) -> tuple[dict[str, float], list[tuple[str, str, str]]]:
    """Return indices and alerts, without holding up the load."""
    return await asyncio.gather(asyncio.to_thread(indices, stack), asyncio.to_thread(alerts, stack))


def load(stack: LocalStack, shift: Callable[[dict[str, Any]], None]) -> Load:
    """Return traffic, to be started."""
    made = payloads(stack, shift, 60_000)
    return Load(f"{stack.url}/v1/models/{MODEL}:predict", 8, RATE, made, answered)


def answered(payload: Payload, status: int, headers: Any, body: bytes) -> str | None:
    """Return what is wrong with a reply."""
    return None if status == 200 else f"{status}: {body!r}"


def shifted(row: dict[str, Any]) -> None:
    """Shift one feature, of which the price hardly depends: all houses are sixty years newer."""
    row[SHIFTED] += 60


@pytest.mark.needs("nginx", "redis-server", "prometheus")
def test_drift(stack: LocalStack) -> None:
    """Rows as published raise no index above 0.1 and no alert; a shifted feature alone raises both."""

    async def scenario() -> float:
        highest: dict[str, float] = {}
        async with load(stack, lambda row: None):
            # From the first index on for a full window of nothing but such rows.
            began = None
            deadline = time.monotonic() + 2 * WINDOW_SECONDS
            while began is None or time.monotonic() < began + WINDOW_SECONDS:
                found, raised = await seen(stack)
                assert raised == []
                if found and began is None:
                    began = time.monotonic()
                for feature, index in found.items():
                    highest[feature] = max(highest.get(feature, 0.0), index)
                assert began is not None or time.monotonic() < deadline, "no index"
                await asyncio.sleep(2)
        assert set(highest) == {
            *("location", "size_m2", "rooms", "year_built", "condition", "has_garden"),
            "(prediction)",
        }
        assert max(highest.values()) < 0.1, highest
        print("unshifted, highest:", highest)
        async with load(stack, shifted):
            began = time.monotonic()
            while ("ModelInputDrift", SHIFTED, "firing") not in (await seen(stack))[1]:
                assert time.monotonic() < began + WINDOW_SECONDS, await seen(stack)
                await asyncio.sleep(1)
            seconds = time.monotonic() - began
            found, raised = await seen(stack)
        print("shifted:", found)
        assert found.pop(SHIFTED) > 0.25
        assert max(found.values()) < 0.1, found
        assert {feature for _, feature, _ in raised} == {SHIFTED}
        return seconds

    seconds = asyncio.run(scenario())
    print(f"the alert fired {seconds:.0f} s after the shift")
