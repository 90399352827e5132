"""Agreement of two versions on a row: labels by equality, numbers within a tolerance."""

from math import inf, nan
from typing import Any

import pytest

from service.shadow.agreement import agree


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("spam", "spam", True),
        ("spam", "ham", False),
        (3, 3, True),
        (1000, 1001, False),
        (True, False, False),
        ("3", 3, False),
        (100.0, 101.0, True),
        (100.0, 101.1, False),
        (-100.0, 100.0, False),
        (100.0, 101, True),
        (100.0, 102, False),
        (0.0, 1e-12, False),
        (0.0, -0.0, True),
        (inf, inf, True),
        (inf, -inf, False),
        (inf, 1e300, False),
        (nan, nan, True),
        (nan, None, True),
        (None, None, True),
        (nan, 0.0, False),
        (None, "", False),
        ("nan", nan, False),
        (1.0, "1.0", False),
        ([100.0, nan], [101.0, None], True),
        ([100.0, 1.0], [101.0, 2.0], False),
        (["a", "b"], ["a"], False),
        ([["a"], [1.0]], [["a"], [1.001]], True),
        ([1.0], 1.0, False),
    ],
)
def test_agree(one: Any, other: Any, expected: bool) -> None:
    """Either way round, two answers agree within a hundredth, and only numbers have a tolerance."""
    assert agree(one, other, 0.01) is expected
    assert agree(other, one, 0.01) is expected


def test_no_tolerance() -> None:
    """With a tolerance of 0 only equal numbers agree."""
    assert not agree(100.0, 100.0000001, 0.0)
    assert agree(100.0, 100.0, 0.0)
