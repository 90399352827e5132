"""Two studies side by side: they come in, each figure's change goes out, and what keeps them apart."""

from dataclasses import dataclass

from loadtest.histogram import Histogram
from loadtest.report.change import Change, change
from loadtest.report.differences import differences
from loadtest.report.steps import cpu_seconds, measured
from loadtest.study.figures import doubted, objective_rate, peak, runs_for
from loadtest.study.study import Purpose, Step, Study

# Latencies belong to a rate; at rates that differ more than this they can't be held side by side.
SAME_RATE = 0.05
NOTCH = 0.05  # of the peak: how finely the rate within the objective is searched for, at best
SEEN = {"better": "faster", "worse": "slower", "same": "no difference", "unknown": "can't be told"}
PEAK, WITHIN, P99, CPU = "peak", "rate within the objective", "p99 there", "CPU a request"
# Which runs each is of.
OF: dict[str, Purpose] = {PEAK: "peak", WITHIN: "objective", P99: "objective", CPU: "peak"}


@dataclass(frozen=True)
class Comparison:
    """Two studies, what has changed, why they may not be comparable, and what else differs."""

    before: Study
    after: Study
    changes: list[Change]
    incomparable: list[str]
    also: list[str]

    def slower(self, percent: float) -> list[Change]:
        """Return the rates that fell by more than so many percent, and by more than the noise."""
        return [
            each
            for each in self.changes
            if each.kind == "rate"
            and each.verdict == "worse"
            and each.ratio
            and each.ratio.value < 1 - percent / 100
        ]

    @property
    def told(self) -> bool:
        """Return whether anything can be said of a rate."""
        return any(each.kind == "rate" and each.ratio for each in self.changes)

    @property
    def verdict(self) -> str:
        """Return the changes of the peaks in one sentence."""
        found: dict[str, list[Change]] = {}
        for each in self.changes:
            if each.name == PEAK:
                found.setdefault(SEEN[each.verdict], []).append(each)
        parts = [
            f"{seen} with {', '.join(f'{each.replicas}' for each in changes)}{_by(changes)}"
            for seen, changes in found.items()
        ]
        said = "; ".join(parts) or "no number of replicas is in both studies"
        return f"Peak of {self.after.name} against {self.before.name}: {said}."


def compare(before: Study, after: Study) -> Comparison:
    """Hold two studies side by side, step by step."""
    firsts = {step.replicas: step for step in before.steps}
    changes = [
        each
        for step in sorted(after.steps, key=lambda step: step.replicas)
        if step.replicas in firsts
        for each in _changes(firsts[step.replicas], step)
    ]
    if _objective(before) != _objective(after):
        why = "for another objective"
        changes = [
            each._replace(ratio=None, why=why) if each.name == WITHIN else each for each in changes
        ]
    return Comparison(before, after, changes, *differences(before, after))


def _objective(study: Study) -> tuple[float, float]:
    return study.settings.objective_seconds, study.settings.objective_share


def _changes(first: Step, second: Step) -> list[Change]:
    count = second.replicas
    slowest = change(count, P99, "latency", _p99(first), _p99(second))
    rates = [objective_rate(step) for step in (first, second)]
    if rates[0] and rates[1] and abs(rates[1].median / rates[0].median - 1) > SAME_RATE:
        slowest = slowest._replace(ratio=None, why="at another rate")
    found = [
        change(count, PEAK, "rate", _peaks(first), _peaks(second)),
        change(
            count, WITHIN, "rate", _within(first), _within(second), (_coarse(first), _coarse(second))
        ),
        slowest,
        change(count, CPU, "cost", _costs(first), _costs(second)),
    ]
    no = doubted(first) | doubted(second)
    why = "the checks of its step refuse it"
    return [each._replace(ratio=None, why=why) if OF[each.name] in no else each for each in found]


def _peaks(step: Step) -> list[float]:
    return [run.achieved for run in runs_for(step, "peak")]


def _within(step: Step) -> list[float]:
    return [run.achieved for run in runs_for(step, "objective")]


def _p99(step: Step) -> list[float]:
    return [Histogram.decode(run.latency).quantile_seconds(0.99) for run in measured(step, "objective")]


def _costs(step: Step) -> list[float]:
    return [cost for run in runs_for(step, "peak") if (cost := cpu_seconds(run)) is not None]


def _coarse(step: Step) -> float:
    """Return the next higher rate that was tried, and so missed the objective, as a multiple of it."""
    rates = [run.rate for run in runs_for(step, "objective") if run.rate]
    if not rates:
        return 1.0
    most, kept = peak(step), max(rates)
    higher = [run.rate for run in step.runs if run.purpose == "search" and run.rate and run.rate > kept]
    return min(higher, default=kept + NOTCH * (most.median if most else kept)) / kept


def _by(changes: list[Change]) -> str:
    """Return by how much: (4.1 %), (4.1 to 12.0 %); nothing where nothing has changed."""
    sizes = [100 * abs(each.ratio.value - 1) for each in changes if each.ratio]
    if not sizes or changes[0].verdict == "same":
        return ""
    least, most = (f"{end(sizes):.1f}" for end in (min, max))
    return f" ({most} %)" if least == most else f" ({least} to {most} %)"
