"""The cost gate: whether asking Redis first pays for one version. Costs and hits in, a decision out.

A look-up costs every row; it saves the computing of those that are found. With hit rate h, it pays
where h * computing > look-up + (1 - h) * storing, and storing a row costs about what a look-up does.
A gate that has closed lets some rows through now and then, to see whether that has changed.
"""

from typing import Literal

CacheMode = Literal["auto", "always", "off"]

# Rows on which a decision rests: with fewer, chance would decide.
TRIAL_ROWS = 128
# How far apart a trial's look-ups are: all at once they would hold up everybody for 30 ms.
TRIAL_SPACING_SECONDS = 0.005
# From a trial that found that it doesn't pay to the next one; twice as long after each.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 160.0
# Rows after which an old one weighs half: long enough to be steady, short enough to follow.
HALF_LIFE_ROWS = 2048
# Of one key alone, measured; from the first look-up on each replica knows its own.
LOOKUP_SECONDS = 107e-6


class CacheGate:
    """Decides for one version. Belongs to the event loop.

    `compute_seconds` and `lookup_seconds` are of a row; the first is None until it is known.
    """

    def __init__(self, mode: CacheMode = "always", compute_seconds: float | None = None) -> None:
        self.mode = mode
        self.compute_seconds = compute_seconds
        self.lookup_seconds = LOOKUP_SECONDS
        # What is obviously too cheap begins with a trial.
        cheap = compute_seconds is not None and compute_seconds < LOOKUP_SECONDS
        self.open = mode == "always" or (mode == "auto" and not cheap)
        self._seen = False  # nothing has been looked up yet
        self._hits = self._rows = 0.0
        self._wanted = TRIAL_ROWS  # rows to be seen before the next decision
        self._next_look = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def hit_rate(self) -> float:
        """Share of the rows looked up lately that were found."""
        return self._hits / self._rows if self._rows else 0.0

    def succeed(self, before: "CacheGate") -> None:
        """Begin with what the gate of the version before has learned, so that each needs no trial.

        What a look-up costs is the same; what computing costs isn't, so an open gate stays open.
        """
        self.lookup_seconds = before.lookup_seconds
        if not (self.open or before.open):
            self._next_look, self._pause = before._next_look, before._pause

    def lets_through(self, now: float) -> bool:
        """Tell whether rows should be looked up; `now` is in seconds of any steady clock."""
        if self.open:
            return True
        if self.mode == "off" or now < self._next_look:
            return False
        self._next_look = now + TRIAL_SPACING_SECONDS
        if self._wanted == TRIAL_ROWS:  # a trial begins: its own rows decide
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
        if self.mode == "auto" and self._wanted <= 0:
            self._decide(now)

    def _decide(self, now: float) -> None:
        if self.pays():
            self.open, self._pause = True, FIRST_PAUSE_SECONDS
            return
        self.open = False
        self._next_look = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._wanted = TRIAL_ROWS

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
