"""The servers: whatever this shell has set, Flotilla is measured with its defaults."""

import pytest

from loadtest.bench.report import FASTAPI, FLOTILLA, RETURN_200
from loadtest.bench.servers import Server, defaults
from loadtest.bench.workloads import Workload
from service.settings import Settings


def test_defaults_unset_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """CACHE=off of a shell doesn't reach the stack that is measured."""
    monkeypatch.setenv("CACHE", "off")
    assert Settings.read(defaults()) == Settings()
    assert defaults()["CACHE"] == ""
    assert {"HTTP_PORT", "FLOTILLA_HOME", "REDIS_URL", "MAX_ROWS"} <= set(defaults())


@pytest.mark.parametrize(
    ("server", "model", "asked"),
    [
        (FLOTILLA, "forest-sklearn", True),
        (FASTAPI, "forest-sklearn", False),
        (FASTAPI, "digits-forest", True),
        (RETURN_200, "digits-forest", False),
        (RETURN_200, "digits", True),
    ],
)
def test_servers_are_asked_for_what_they_have(server: str, model: str, asked: bool) -> None:
    """FastAPI has each model once; nginx alone doesn't look at it."""
    assert Server(server, "http://x").has(Workload(model, "unique")) is asked
