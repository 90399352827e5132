"""Pictures of block characters: in proportion, as wide as asked for, empty where nothing is known."""

import pytest

from deploy.top.charts import bar, curve, largest

LOOKS = [("█", "a"), ("▒", "b"), ("░", "c")]


def test_curve_in_a_line() -> None:
    """Columns are in proportion to the largest; 0 and what isn't known are empty, a little isn't."""
    assert curve([None, 0.0, 1e-9, 2.0, 4.0], 7) == ["    ▁▄█"]
    assert curve([1.0, 4.0, 2.0], 2) == ["█▄"], "the last ones, and the largest of those"


def test_curve_in_lines() -> None:
    """A higher curve has eighths of each line."""
    assert curve([0.5, 1.0, 2.0, 1.125], 4, 2) == ["  █▁", "▄███"]


@pytest.mark.parametrize("values", [[], [None, None], [0.0, 0.0]])
def test_curve_of_nothing(values: list[float | None]) -> None:
    """Nothing known, and nothing but zeros, are an empty picture."""
    assert curve(values, 3, 2) == ["   ", "   "]


def test_largest() -> None:
    """The maximum is that of what is shown."""
    assert largest([9.0, None, 2.0], 2) == 2.0
    assert largest([9.0, None], 1) is None


@pytest.mark.parametrize(
    ("shares", "text"),
    [((0.5, 0.25, 0.25), "████▒▒░░"), ((1.0, 0.0, 0.0), "████████"), ((0.34, 0.33, 0.33), "███▒▒▒░░")],
)
def test_bar(shares: tuple[float, ...], text: str) -> None:
    """A bar is always as wide as asked for, by largest remainder."""
    assert bar(shares, LOOKS, 8).plain == text
