"""Numbers as words: short, with their unit, and never prettier than they are."""

import pytest

from deploy.top.cells import NOTHING, duration, number, percent, seconds, size, whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.04, "0"),
        (4.24, "4.2"),
        (9.96, "10"),
        (1234.4, "1,234"),
        (9999.6, "10.0k"),
        (26_420.0, "26.4k"),
        (3_100_000.0, "3.1M"),
    ],
)
def test_number(value: float, text: str) -> None:
    """Rates keep two digits or more, thousands have a comma, more than that a letter."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0 µs"), (0.00041, "410 µs"), (0.00099999, "1.0 ms"), (0.0021, "2.1 ms")),
        *((0.048, "48 ms"), (0.9999, "1.0 s"), (1.24, "1.2 s")),
    ],
)
def test_seconds(value: float, text: str) -> None:
    """Latencies have the unit that keeps them short."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((0.0, "0 %"), (1e-7, "<0.01 %"), (0.0004, "0.04 %"), (0.042, "4.2 %"), (0.43, "43 %")),
        *((0.999, "99 %"), (1.0, "100 %")),
    ],
)
def test_percent(share: float, text: str) -> None:
    """A few errors aren't rounded to none, nor almost all to all."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(640 * 2**10, "640 KiB"), (68 * 2**20, "68 MiB"), (1.25 * 2**30, "1.2 GiB")]
)
def test_size(value: float, text: str) -> None:
    """Bytes are in units of 1024."""
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4, "0s"), (12, "12s"), (250, "4m 10s"), (7980, "2h 13m"), (3 * 86400 + 14400, "3d 4h")],
)
def test_duration(value: float, text: str) -> None:
    """Time spans have their two largest units."""
    assert duration(value) == text


def test_nothing() -> None:
    """What isn't known is a dash, whatever it would be."""
    assert {each(None) for each in (number, whole, seconds, percent, size, duration)} == {NOTHING}
