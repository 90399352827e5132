"""A canary with a real Prometheus' figures: a good version gets through, a bad one is rolled back."""

import asyncio
import json
import random
from collections.abc import Mapping
from pathlib import Path

from loadtest.client import Load, Payload
from tests.stack.lines import check_answer, line_payload, publish_line
from tests.stack.stack import Stack
from tests.stack.traffic import assert_nothing_lost

RATE = 120.0
EVERY = ("--every", "15s")


SLOPES = {"1": 1.0, "2": 2.0, "3": 1.001}  # the last is within the tolerance of a hundredth


def check_slope(payload: Payload, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return None where the answer is that of the version that the reply names, else what is wrong."""
    slope = SLOPES.get(headers.get("x-model-version", ""), float("nan"))
    return check_answer(slope * float(str(payload.expected)), status, body)


def test_canary(stack: Stack, tmp_path: Path) -> None:
    """Who answers alike gets all requests step by step; who answers otherwise none, with the reason."""
    name = "canary"
    for slope in SLOPES.values():
        publish_line(stack, tmp_path, name, slope)
    payloads = [line_payload(n + 0.5, 1.0, X_Client_ID=f"client-{n % 499}") for n in range(20_000)]
    random.Random(1).shuffle(payloads)  # rows that grow with time would be a drift
    load = Load(f"{stack.url}/v1/models/{name}:predict", 8, RATE, payloads, check_slope)
    said: dict[str, str] = {}

    async def operate() -> None:
        async with load:
            await asyncio.sleep(5)  # some figures of the live version, to compare with
            words = ("canary", name, "2", "--steps", "20,100", *EVERY)
            said["bad"] = await asyncio.to_thread(stack.flotilla, *words, expect=1)
            words = ("canary", name, "3", "--steps", "50,100", *EVERY)
            said["good"] = await asyncio.to_thread(stack.flotilla, *words)

    asyncio.run(operate())
    assert_nothing_lost(load.result)
    assert "version 2: it answers " in said["bad"]
    assert "rows otherwise than the live version (100 %)" in said["bad"]
    assert "Rolled back: version 1 answers everybody" in said["bad"]
    assert "version 3 answers everybody" in said["good"]
    routes = json.loads(stack.flotilla("routes", name, "--json"))
    assert [each["weights"] for each in routes] == [
        {"3": 100},
        {"1": 50, "3": 50},
        {"1": 100},
        {"1": 80, "2": 20},
        {"1": 100},
    ]
    assert routes[2]["reason"].startswith("canary: version 2: it answers ")
    assert 0.1 < load.result.answered_by(0, float("inf"))["2"] / (RATE * 15) < 0.3
