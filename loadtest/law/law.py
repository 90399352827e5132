"""The Universal Scalability Law, its parameters with intervals; `fit` makes it, plan and report ask it.

X(N) = lambda N / (1 + sigma (N-1) + kappa N (N-1)): N. J. Gunther, Guerrilla Capacity Planning,
Springer 2007, and A General Theory of Computational Scalability Based on Rational Functions,
https://arxiv.org/abs/0808.1431. Lambda: what one replica gives alone. Sigma, contention: the share of
the work for which replicas queue at something that there is once. Kappa, coherency: what each costs
each other, so that at some point more replicas give less.
"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loadtest.law.bottleneck import Bottleneck
from loadtest.law.region import LEAST_COST, Floats, Region, basis


class Estimate(NamedTuple):
    """The likeliest value, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Residual(NamedTuple):
    """A run's peak in requests a second, what the law says, and the difference as a share of that."""

    replicas: int
    measured: float
    law: float

    @property
    def share(self) -> float:
        """Return by how much the run was above the law (or below, then it is negative)."""
        return self.measured / self.law - 1


@dataclass(frozen=True, kw_only=True)
class Law:
    """How throughput grows with replicas.

    `region` holds its parameters, in units of `unit` seconds. `left_out`: the steps that the host or
    the generator ended, by their replicas. `bent`: too few others were there, so these are in it, and
    it is as much this machine's law as the replicas'. `refused`: the steps that the checks refuse.
    """

    region: Region
    unit: float
    r2: float
    residuals: tuple[Residual, ...]
    left_out: dict[int, Bottleneck]
    bent: dict[int, Bottleneck]
    refused: tuple[int, ...]

    @property
    def alone(self) -> Estimate:
        """Return lambda: requests a second of one replica."""
        return self._ratio(np.full(len(self._costs), 1 / self.unit))

    @property
    def sigma(self) -> Estimate:
        """Return the contention, a share."""
        return self._ratio(self._costs[:, 1])

    @property
    def kappa(self) -> Estimate:
        """Return the coherency, a share."""
        return self._ratio(self._costs[:, 2])

    @property
    def noise(self) -> float:
        """Return by what share a run typically differs from the law."""
        return self.region.noise

    @property
    def measured(self) -> tuple[int, ...]:
        """Return the numbers of replicas that it was fitted to."""
        return tuple(sorted({each.replicas for each in self.residuals}))

    @property
    def peak_replicas(self) -> Estimate:
        """Return N* = sqrt((1 - sigma) / kappa), beyond which more give less; infinite: nowhere."""
        a, b, c = self._costs.T
        squares = np.divide(np.maximum(a - b, 0.0), c, out=np.full_like(c, inf), where=c > 0)
        return _estimate(np.maximum(np.sqrt(squares), 1.0))

    @property
    def peak_seen(self) -> bool:
        """Return whether throughput falls somewhere: kappa's interval doesn't include 0."""
        return self.peak_replicas.high < inf

    def at(self, replicas: float) -> Estimate:
        """Return the throughput of so many replicas (1 or more), in requests a second."""
        value, low, high = self.curve([replicas])
        return Estimate(float(value[0]), float(low[0]), float(high[0]))

    def curve(self, replicas: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return throughputs of so many replicas each, shape (n,): likeliest, low and high."""
        count = np.atleast_1d(np.asarray(replicas, dtype=np.float64))
        if np.any(count < 1):
            raise ValueError(f"replicas: expected 1 or more, got {count.min():g}")
        rates = count[:, None] / (basis(count) @ self._costs.T * self.unit)
        return rates[:, 0], rates.min(axis=1), rates.max(axis=1)

    @property
    def _costs(self) -> Floats:
        """Return (a, b, c) as in `region`, the likeliest first: shape (n, 3)."""
        return np.vstack([self.region.best, self.region.others])

    def _ratio(self, to_a: Floats) -> Estimate:
        a = self._costs[:, 0]
        return _estimate(np.where(a > LEAST_COST, to_a / a, inf))


def _estimate(values: Floats) -> Estimate:
    """Return the first value and the ends of all of them."""
    return Estimate(float(values[0]), float(values.min()), float(values.max()))
