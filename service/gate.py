"""The cost gate: whether asking Redis first pays for one version. Costs and hits in, a decision out.

A look-up costs every row; it saves the computing of those that are found. With hit rate h, it pays
where h * computing > look-up + (1 - h) * storing, and storing a row costs about what a look-up does.
A gate that has closed lets some rows through now and then, to see whether that has changed.
"""

from typing import Literal

CacheMode = Literal["auto", "always", "off"]

# Rows on which a decision rests: with fewer, chance would decide.
TRIAL_ROWS = 128
SECONDS_BETWEEN_TRIALS = 10.0
# Rows after which an old one weighs half: long enough to be steady, short enough to follow.
HALF_LIFE_ROWS = 2048


class CacheGate:
    """Decides for one version. Belongs to the event loop."""

    def __init__(self, mode: CacheMode = "always", compute_seconds: float | None = None) -> None:
        self.mode = mode
        self.open = mode != "off"
        self.compute_seconds = compute_seconds  # of a row, None until it is known
        self.lookup_seconds = 0.0
        self._hits = self._rows = 0.0
        self._next_trial = 0.0
        self._seen = False  # nothing has been looked up yet
        self._wanted = TRIAL_ROWS  # rows to be seen before it may close

    @property
    def hit_rate(self) -> float:
        """Share of the rows looked up lately that were found."""
        return self._hits / self._rows if self._rows else 0.0

    def lets_through(self, now: float) -> bool:
        """Tell whether rows should be looked up; `now` is in seconds of any steady clock."""
        if self.open:
            return True
        if self.mode == "off" or now < self._next_trial:
            return False
        self.open = True
        self._wanted = TRIAL_ROWS
        self._hits = self._rows = 0.0
        return True

    def computed(self, seconds: float, rows: int) -> None:
        """Learn what a call of the engine cost."""
        sample = seconds / rows
        before = sample if self.compute_seconds is None else self.compute_seconds
        self.compute_seconds = before + 0.05 * (sample - before)

    def looked_up(self, rows: int, hits: int, lookup_seconds: float, now: float) -> None:
        """Learn how many rows were found, and what a look-up costs a row; decide anew."""
        kept = 0.5 ** (rows / HALF_LIFE_ROWS)
        self._hits = self._hits * kept + hits
        self._rows = self._rows * kept + rows
        self.lookup_seconds = lookup_seconds
        self._seen = True
        self._wanted -= rows
        if self.mode == "auto" and self._wanted <= 0 and not self.pays():
            self.open = False
            self._next_trial = now + SECONDS_BETWEEN_TRIALS

    def describe(self) -> str:
        """Say in words what is done and why."""
        if self.mode == "off":
            return "off"
        if not self._seen:
            return f"{self.mode}: nothing looked up yet"
        lookup, compute = self.lookup_seconds * 1e6, (self.compute_seconds or 0.0) * 1e6
        found = f"{self.hit_rate:.0%} of rows found"
        what = "rows are looked up" if self.open else "bypassed"
        costs = f"a look-up costs {lookup:,.0f} µs, computing {compute:,.0f} µs"
        return f"{self.mode}: {what}; {costs}, {found}"

    def pays(self) -> bool:
        """Tell whether looking rows up saves more than it costs, as far as is known."""
        if self.compute_seconds is None:
            return True
        return self.hit_rate * self.compute_seconds > (2.0 - self.hit_rate) * self.lookup_seconds
