"""The plot of how latencies are distributed, after HdrHistogram's: half is for the slowest 1 %."""

from matplotlib.figure import Figure

from loadtest.histogram import Histogram
from loadtest.law.verdict import so_many
from loadtest.report.latency import DUE, objective_line
from loadtest.report.plot import BLUE, GREEN, ORANGE, PURPLE, RED, SKY, Plot, legend
from loadtest.report.steps import measured
from loadtest.study.study import Study

LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (RED, "D"), (PURPLE, "v"), (SKY, "p"))
NINES = (0.0, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999)


def distribution(study: Study) -> Plot | None:
    """Return the latencies within the objective as a curve over the share of requests."""
    steps = [step for step in study.steps if measured(step, "objective")]
    if not steps:
        return None
    chosen = steps
    if len(steps) > len(LOOKS):  # evenly, the smallest and the largest among them
        places = {round(n * (len(steps) - 1) / (len(LOOKS) - 1)) for n in range(len(LOOKS))}
        chosen = [steps[place] for place in sorted(places)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for step, (colour, marker) in zip(chosen, LOOKS, strict=False):
            together = Histogram()
            for run in measured(step, "objective"):
                together.add(Histogram.decode(run.latency))
            # A share of which not even ten requests are beyond would be an accident.
            shares = [share for share in NINES if (1 - share) * together.count >= 10] or [0.5]
            axes.plot(
                [1 / (1 - share) for share in shares],
                [together.quantile_seconds(share) for share in shares],
                color=colour,
                marker=marker,
                markersize=4,
                label=so_many(step.replicas),
            )
        objective_line(axes, study.settings)
        axes.set_xscale("log")
        ticks = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
        axes.set_xticks([1 / (1 - share) for share in ticks], [f"{share * 100:g} %" for share in ticks])
        axes.minorticks_off()
        axes.set_xlabel("share of requests that were answered within it")
        axes.set_ylabel("latency, logarithmic")
        legend(figure)

    some = "" if chosen == steps else f" {len(chosen)} of {len(steps)} steps are shown."
    return Plot(
        "distribution",
        "Distribution of latency at the highest rate within the objective",
        f"{DUE} All repetitions added up; the scale stretches towards the slowest requests. A share is "
        f"shown where at least ten requests were slower.{some}",
        draw,
        (8.0, 4.0),
    )
