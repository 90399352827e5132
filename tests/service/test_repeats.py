"""Events that come again and again: the first at once, then one line for all that came meanwhile."""

import logging

import pytest

from service.errors import BadInput, NotReady, Overloaded
from service.repeats import Repeats
from tests.polling import run, until

LOGGER = "service.requests"


def members(request_id: str = "a", model: str = "m") -> dict[str, str]:
    """Return what an exchange says of a request."""
    return {"request_id": request_id, "model": model, "version": "1"}


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, int]]:
    """Return level, example and count of all lines."""
    return [(r.levelno, r.request_id, r.count) for r in caplog.records]


def test_first_at_once_then_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    """Of a thousand requests that are refused there are two lines, and no one is missing in them."""

    async def scenario() -> None:
        repeats = Repeats(0.05)
        for number in range(1000):
            repeats.refused(Overloaded("full"), members(str(number)))
        assert lines(caplog) == [(logging.WARNING, "0", 1)]
        await until(lambda: len(caplog.records) == 2)
        assert lines(caplog)[1] == (logging.WARNING, "999", 999)
        repeats.close()

    caplog.set_level(logging.INFO, LOGGER)
    run(scenario())
    assert len(caplog.records) == 2


def test_quiet_means_new(caplog: pytest.LogCaptureFixture) -> None:
    """After a time without any, the next one is written at once again."""

    async def scenario() -> None:
        repeats = Repeats(0.0)
        repeats.refused(NotReady("soon"), members("first"))
        await until(lambda: not repeats._timers)
        repeats.refused(NotReady("soon"), members("second"))
        repeats.close()

    caplog.set_level(logging.INFO, LOGGER)
    run(scenario())
    assert lines(caplog) == [(logging.WARNING, "first", 1), (logging.WARNING, "second", 1)]


def test_kinds_are_apart(caplog: pytest.LogCaptureFixture) -> None:
    """Another code or model is another kind; what is the client's fault is less than a warning."""

    async def scenario() -> None:
        repeats = Repeats()
        repeats.refused(Overloaded("full"), members("a"))
        repeats.refused(Overloaded("full"), members("b", model="n"))
        repeats.refused(BadInput("row 3 is 'secret'"), members("c"))
        repeats.slow(members("d") | {"seconds": 2.5})
        repeats.close()

    caplog.set_level(logging.INFO, LOGGER)
    run(scenario())
    assert lines(caplog) == [
        (logging.WARNING, "a", 1),
        (logging.WARNING, "b", 1),
        (logging.INFO, "c", 1),
        (logging.WARNING, "d", 1),
    ]
    refused, slow = caplog.records[2:]
    assert (refused.code, refused.error, refused.model) == (400, "BadInput", "m")
    assert slow.seconds == 2.5
    assert "secret" not in str([vars(record) for record in caplog.records])


def test_the_end_writes_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """What was counted and not yet written is written at the end."""

    async def scenario() -> None:
        repeats = Repeats()
        for request_id in ("a", "b", "c"):
            repeats.refused(BadInput("no"), members(request_id))
        repeats.close()

    caplog.set_level(logging.INFO, LOGGER)
    run(scenario())
    assert lines(caplog) == [(logging.INFO, "a", 1), (logging.INFO, "c", 2)]
