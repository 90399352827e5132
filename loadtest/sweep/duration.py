"""How long a sweep takes: settings come in, seconds go out. For time left and --dry-run."""

from dataclasses import dataclass

from loadtest.study.study import Purpose, Settings, Study

# The least that a short run lasts, and its share of a whole one.
LEAST_SECONDS = 2.0
SHARES: dict[Purpose, float] = {"saturation": 1 / 3, "peak": 1.0, "search": 0.5, "objective": 1.0}
COOL_SECONDS = 1.0
# As seen on a small machine: a replica's start, and waiting for Prometheus before and after a run.
SCALE_SECONDS, SCALE_SECONDS_EACH, COUNTS_SECONDS = 5.0, 3.0, 10.0
# How many runs a search mostly takes.
SATURATION_RUNS, SEARCH_RUNS = 4, 4


def run_seconds(purpose: Purpose, settings: Settings) -> float:
    """Return how long a run lasts: only those that figures are made of need all the time."""
    whole = settings.run_seconds
    return min(whole, max(LEAST_SECONDS, SHARES[purpose] * whole))


@dataclass(frozen=True)
class Planned:
    """The runs that a step mostly takes, by purpose, and seconds for all of it."""

    replicas: int
    runs: dict[Purpose, int]
    seconds: float


def planned(replicas: int, settings: Settings) -> Planned:
    """Return what a step is expected to take."""
    runs: dict[Purpose, int] = {
        "saturation": 0 if settings.connections else SATURATION_RUNS,
        "peak": settings.repetitions,
        "search": SEARCH_RUNS,
        "objective": settings.repetitions,
    }
    seconds = SCALE_SECONDS + SCALE_SECONDS_EACH * replicas + settings.warmup_seconds
    seconds += sum(count * piece_seconds(purpose, settings) for purpose, count in runs.items())
    return Planned(replicas, runs, seconds)


def plans(study: Study) -> dict[int, Planned]:
    """Return what each step that isn't complete is expected to take yet, by its replicas."""
    found = {}
    for replicas in study.settings.replicas:
        plan = planned(replicas, study.settings)
        for step in (each for each in study.steps if each.replicas == replicas):
            had = sum(piece_seconds(run.purpose, study.settings) for run in step.runs)
            plan = Planned(replicas, plan.runs, 0.0 if step.complete else max(0.0, plan.seconds - had))
        found[replicas] = plan
    return found


def piece_seconds(purpose: Purpose, settings: Settings) -> float:
    """Return what one run is expected to take, with everything around it."""
    counts = COUNTS_SECONDS if purpose in ("peak", "objective") else 0.0
    return run_seconds(purpose, settings) + COOL_SECONDS + counts


def in_words(seconds: float) -> str:
    """Return a duration for people: "40 s", "12 min", "1 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
