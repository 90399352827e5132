"""Requests to a version with a shadow, through the whole ASGI application in this process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.asgi import Door
from service.counting.metrics import Metrics
from service.settings import Settings
from service.shadow.shadows import Shadows
from service.version import LoadedVersion, load_version
from tests.fakes import BREAK, FakeEngine, fake_version
from tests.polling import run, until
from tests.published import published

LINE = "/v1/models/line:predict"


class Application:
    """The application between its start-up and shutdown events, with what a test needs of it."""

    def __init__(self) -> None:
        self.door = Door()
        self._events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def __aenter__(self) -> "Application":
        scope = {"type": "lifespan"}
        self._life = asyncio.ensure_future(self.door(scope, self._events.get, self._answers.put))
        await self._events.put({"type": "lifespan.startup"})
        assert (await self._answers.get())["type"] == "lifespan.startup.complete"
        await until(lambda: not self.door._registry.missing())
        self._metrics = Metrics()
        settings = Settings(shadow_share=1.0, shadow_queue_rows=2)
        self._shadows = Shadows(settings, self._metrics.shadowed)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._shadows.close(10.0)
        await self._events.put({"type": "lifespan.shutdown"})
        await self._life

    def shadow(self, version: LoadedVersion) -> None:
        """Put a version in the shadow of the one that is routed."""
        self.door._registry.current("line").shadow = self._shadows.shadow_of(version)

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of the reply to one request."""
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": ""}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self.door(scope, receive, send)
        return sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:])

    async def predict(self, *rows: list[float]) -> list[float]:
        """Return predictions of the routed version."""
        status, body = await self.ask("POST", LINE, json.dumps({"instances": rows}).encode())
        assert status == 200, body
        return [round(each, 9) for each in json.loads(body)["predictions"]]

    async def metric(self, name: str, **labels: str) -> float:
        """Return the sum over all series of a metric that have these labels."""
        _, body = await self.ask("GET", "/metrics")
        return sum(
            sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def rows(self, result: str) -> float:
        """Return how many rows had this result in the shadow."""
        labels = {"model": "line", "version": "1", "shadow": "2", "result": result}
        shown = self._metrics.registry.get_sample_value
        return shown("flotilla_shadow_rows_total", labels) or 0.0


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a registry with `line`, whose version 1 gives sums, and which the application reads."""
    published(tmp_path / "registry", "line", routed=True)
    monkeypatch.setenv("REGISTRY_DIR", str(tmp_path / "registry"))
    monkeypatch.setenv("REDIS_URL", "")
    return tmp_path / "registry"


def test_the_answer_is_the_live_ones(registry: Path) -> None:
    """The client gets what the live version says, which the metrics compare with the shadow's."""
    published(registry, "line")  # twice as steep: right for a row of zeros alone

    async def scenario() -> None:
        async with Application() as application:
            application.shadow(load_version(registry / "line" / "2"))
            assert await application.predict([1, 2], [0, 0]) == [3, 0]
            await until(lambda: application.rows("disagree") == 1)
            await until(lambda: application.rows("agree") == 1)
            status, _ = await application.ask("POST", LINE, b'{"instances": [[1]]}')
            assert status == 400
            assert await application.predict([0, 0]) == [0]
            await until(lambda: application.rows("agree") == 2)
            live = {"model": "line", "version": "1"}
            assert await application.metric("flotilla_rows_total", **live) == 3
            assert await application.metric("flotilla_inference_duration_seconds_count", **live) == 2
            assert await application.metric("flotilla_rows_total", version="2") == 0

    run(scenario())


def test_a_shadow_that_hangs(registry: Path) -> None:
    """Requests are answered while a shadow hangs; what doesn't fit before it is counted as dropped."""
    engine = FakeEngine()
    engine.may_go_on.clear()

    async def scenario() -> None:
        async with Application() as application:
            application.shadow(fake_version(engine, "line", 2))
            assert await application.predict([1, 1]) == [2]
            await until(engine.entered.is_set)
            for i in range(5):
                assert await application.predict([i, 1]) == [i + 1]
            assert application.rows("dropped") == 3
            assert application.rows("agree") == 0
            engine.may_go_on.set()
            await until(lambda: application.rows("agree") == 3)

    run(scenario())


def test_a_shadow_that_fails(registry: Path) -> None:
    """Requests are answered while a shadow fails at each of their rows."""

    async def scenario() -> None:
        async with Application() as application:
            application.shadow(fake_version(FakeEngine(), "line", 2))
            for number in range(1, 4):
                assert await application.predict([BREAK, 5]) == [3]
                await until(lambda number=number: application.rows("failed") == number)

    run(scenario())


def test_predicted_numbers(registry: Path) -> None:
    """What a version has answered is summed up, refused requests aside; a shadow isn't needed."""

    async def scenario() -> None:
        async with Application() as application:
            await application.predict([1, 2])
            await application.predict([0, 1], [-5, 1])
            await application.ask("POST", LINE, b'{"instances": [[1]]}')
            labels = {"model": "line", "version": "1"}
            assert await application.metric("flotilla_prediction_count", **labels) == 3
            total = await application.metric("flotilla_prediction_sum", **labels)
            squares = await application.metric("flotilla_prediction_sum_of_squares", **labels)
            assert (total, squares) == (pytest.approx(0, abs=1e-9), pytest.approx(26))
            assert await application.metric("flotilla_predictions_total", **labels) == 0

    run(scenario())
