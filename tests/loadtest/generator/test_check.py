"""Each reply is checked: status, version, and the class against the expected one."""

import pytest

from loadtest.generator.check import Check
from loadtest.generator.reply import Labels, Reply
from tests.loadtest.generator.servers import payloads_of

GOOD = b'{"predictions": [3]}'


def wrong(
    body: bytes, *, status: int = 200, version: bytes = b"1", place: int = 3, asked: int = 1
) -> str | None:
    """Return what is wrong with a reply to the template whose answer is its place."""
    check = Check(payloads_of(version=asked))
    return check.wrong(place, Reply(Labels(status, b"a", version, b""), body, False))


def test_takes_what_is_right() -> None:
    """The expected class from the expected version is right; of version 0 none is expected."""
    assert wrong(GOOD) is None
    assert wrong(b'{"model": "m", "predictions":[3]}') is None
    assert wrong(GOOD, version=b"", asked=0) is None


@pytest.mark.parametrize(
    ("body", "more", "reason"),
    [
        (b'{"predictions": [4]}', {}, "predictions [4], expected [3]"),
        (b'{"predictions": [3, 3]}', {}, "predictions [3, 3], expected [3]"),
        (b'{"predictions": []}', {}, "predictions [], expected [3]"),
        (GOOD, {"place": 4}, "predictions [3], expected [4]"),
        (b"{}", {}, "predictions None, expected [3]"),
        (b"<html>", {}, "no predictions (JSON is malformed"),
        (b"[]", {}, "no predictions (Expected `object`, got `array`)"),
        (GOOD, {"version": b""}, "X-Model-Version none, expected 1"),
        (GOOD, {"version": b"2"}, "X-Model-Version 2, expected 1"),
        (b'{"error": "x"}', {"status": 503}, 'status 503: b\'{"error": "x"}\''),
    ],
)
def test_says_what_is_wrong(body: bytes, more: dict, reason: str) -> None:
    """Anything else is wrong, with what came and what was expected."""
    assert str(wrong(body, **more)).startswith(reason)


def test_remembers_right_bodies_only() -> None:
    """A body that is right for one template isn't for another, and a wrong one stays wrong."""
    check = Check(payloads_of())
    labels = Labels(200, b"a", b"1", b"")
    bodies = [GOOD, GOOD, b'{"predictions": [4]}', b'{"predictions": [4]}', GOOD]
    verdicts = [check.wrong(3, Reply(labels, body, False)) is None for body in bodies]
    assert verdicts == [True, True, False, False, True]
    assert check.wrong(4, Reply(labels, GOOD, False)) is not None
