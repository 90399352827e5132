"""Whether a figure has changed: repetitions before and after in, a ratio with its interval out.

Welch's t on logarithms (B. L. Welch, Biometrika 34, 1947): noise is a share of the figure, and the two
studies needn't be equally noisy. With three repetitions a side no permutation of them is rarer than 1
in 10, so nothing that orders them alone could reach 95 %.
"""

from collections.abc import Sequence
from math import exp, log, sqrt
from statistics import fmean, variance
from typing import Literal, NamedTuple

from loadtest.study.figures import Figure, figure

CONFIDENCE = 0.95
# Repetitions come one after another from the same processes. What another start of the same code
# differs by isn't in them, so less than this is never called a change, however even they are.
SMALLEST = 0.02
# Two words for each kind of figure: what a larger and what a smaller one is.
WORDS = {
    "rate": ("faster", "slower"),
    "latency": ("longer", "shorter"),
    "cost": ("more", "less"),
}
Kind = Literal["rate", "latency", "cost"]
Verdict = Literal["better", "worse", "same", "unknown"]


class Ratio(NamedTuple):
    """After as a multiple of before, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Change(NamedTuple):
    """A figure of one step in two studies; `ratio` is None where `why` it can't be told."""

    replicas: int
    name: str
    kind: Kind
    before: Figure | None
    after: Figure | None
    ratio: Ratio | None
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Return what it means: same where the noise, or another start, could have made it."""
        if self.ratio is None:
            return "unknown"
        value, low, high = self.ratio
        if low <= 1 <= high or abs(value - 1) < SMALLEST:
            return "same"
        return "better" if (value > 1) == (self.kind == "rate") else "worse"

    @property
    def text(self) -> str:
        """Return the verdict in words: faster by 12 % (95 %: 8 to 16)."""
        if self.ratio is None:
            return f"can't be told: {self.why}"
        value, low, high = (100 * (each - 1) for each in self.ratio)
        if self.verdict == "same":
            if low <= 0 <= high:
                return f"no difference beyond the noise (±{(high - low) / 2:.1f} %)"
            return f"no difference that counts ({value:+.1f} %; another start can make that)"
        larger, smaller = WORDS[self.kind]
        if value > 0:
            return f"{larger} by {value:.1f} % (95 %: {low:.1f} to {high:.1f})"
        return f"{smaller} by {-value:.1f} % (95 %: {-high:.1f} to {-low:.1f})"


def change(
    replicas: int,
    name: str,
    kind: Kind,
    before: Sequence[float],
    after: Sequence[float],
    coarse: tuple[float, float] = (1.0, 1.0),
) -> Change:
    """Return the change of a figure, of which each value is one repetition's.

    `coarse`: by what factor the true figure before and after may be larger than what was measured,
    where it was searched for in steps.
    """
    figures = figure(before), figure(after)
    if not all(each > 0 for each in (*before, *after)):
        return Change(replicas, name, kind, *figures, None, "a repetition gives nothing")
    if not (before and after):
        return Change(replicas, name, kind, *figures, None, "only one of them has it")
    if min(len(before), len(after)) < 2:
        return Change(replicas, name, kind, *figures, None, "one repetition shows no noise")
    value, low, high = welch(before, after)
    return Change(replicas, name, kind, *figures, Ratio(value, low / coarse[0], high * coarse[1]))


def welch(before: Sequence[float], after: Sequence[float]) -> Ratio:
    """Return the ratio of the geometric means, of two or more values above 0 each, and its interval."""
    from scipy.stats import t as student

    first, second = ([log(each) for each in values] for values in (before, after))
    apart = fmean(second) - fmean(first)
    squares = [variance(values) / len(values) for values in (first, second)]
    if not any(squares):
        return Ratio(exp(apart), exp(apart), exp(apart))
    free = sum(squares) ** 2 / sum(
        square**2 / (len(values) - 1) for square, values in zip(squares, (first, second), strict=True)
    )
    reach = float(student.ppf((1 + CONFIDENCE) / 2, free)) * sqrt(sum(squares))
    return Ratio(exp(apart), exp(apart - reach), exp(apart + reach))
