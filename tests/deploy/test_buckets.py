"""Buckets of a split: shares are exact, and as few clients as possible change their version."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.buckets import BUCKETS, NAMES, assign

EMPTY = [""] * BUCKETS
ALL_ONE = ["1"] * BUCKETS


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    """Draw shares in steps of a tenth of a percent that make 100 together."""
    cuts = sorted(draw(st.sets(st.integers(1, BUCKETS - 1), max_size=5)))
    edges = [0, *cuts, BUCKETS]
    versions = draw(st.permutations([str(n) for n in range(1, len(edges))]))
    return {version: (b - a) / 10 for version, (a, b) in zip(versions, pairwise(edges), strict=True)}


def changed(before: list[str], after: list[str]) -> int:
    """Return how many buckets have another version than before."""
    return sum(a != b for a, b in zip(before, after, strict=True))


def test_names() -> None:
    """There is one name for each triple of digits that nginx can come up with."""
    assert list(NAMES) == [f"{a}{b}{c}" for a in range(10) for b in range(10) for c in range(10)]


@given(shares(), shares())
def test_shares_are_exact(first: dict[str, float], second: dict[str, float]) -> None:
    """Each version gets its tenths of a percent, whatever was before."""
    before = EMPTY
    for weights in (first, second):
        before = assign(weights, before)
        assert Counter(before) == {version: round(10 * share) for version, share in weights.items()}


@given(shares(), shares())
def test_few_change(first: dict[str, float], second: dict[str, float]) -> None:
    """Only as many buckets change hands as versions grow; nothing changes where shares stay."""
    before = assign(first, EMPTY)
    after = assign(second, before)
    grown = sum(max(0, round(10 * (second[v] - first.get(v, 0)))) for v in second)
    assert changed(before, after) == grown
    assert assign(second, after) == after


def test_growing_canary() -> None:
    """A client that has the new version keeps it while its share grows, and only then."""
    before = ALL_ONE
    with_new: set[int] = set()
    for percent in (5, 25, 50, 99.9, 100):
        weights = {"1": 100 - percent, "2": percent} if percent < 100 else {"2": 100}
        before = assign(weights, before)
        now = {bucket for bucket, version in enumerate(before) if version == "2"}
        assert now > with_new
        assert len(now) == round(10 * percent)
        with_new = now


def test_third_version() -> None:
    """What a third version gets is taken from the one that shrinks alone."""
    before = assign({"1": 80, "2": 20}, ALL_ONE)
    after = assign({"1": 70, "2": 20, "3": 10}, before)
    moved = {(a, b) for a, b in zip(before, after, strict=True) if a != b}
    assert moved == {("1", "3")}


@given(shares())
def test_order_does_not_matter(weights: dict[str, float]) -> None:
    """Shares give the same buckets in whatever order they are named."""
    backwards = dict(reversed(weights.items()))
    assert assign(weights, ALL_ONE) == assign(backwards, ALL_ONE)


@pytest.mark.parametrize("share", [0.1, 33.3, 14.3, 28.7, 57.1, 99.9])
def test_binary_fractions(share: float) -> None:
    """A share that binary numbers can't hold exactly is a whole number of buckets all the same."""
    after = assign({"1": round(100 - share, 1), "2": share}, ALL_ONE)
    assert Counter(after)["2"] == round(share * 10)
    assert len(after) == BUCKETS
