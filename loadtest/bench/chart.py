"""A report as a picture: rates of every workload as bars. `__main__.py` calls it."""

from pathlib import Path

from deploy.compile.timing import describe_factor
from loadtest.bench.machine import in_short
from loadtest.bench.report import FASTAPI, FLOTILLA, RETURN_200, Report, short
from loadtest.bench.workloads import WORKLOADS

# Bars from the top down; colours that differ in lightness too, for a printer and for most eyes.
BARS = {FLOTILLA: "#0b6fa4", FASTAPI: "#e08e2b", RETURN_200: "#c9ced3"}
LABELS = {
    FLOTILLA: FLOTILLA,
    FASTAPI: "hand-written FastAPI",
    RETURN_200: "nginx alone: return 200",
}
THICKNESS = 0.27
# Where the scale begins, and how far it goes beyond the longest bar, for its value.
LEFT, ROOM = 10, 4
INCHES, DOTS_PER_INCH = (8, 8.2), 200
GRID = "#e6e8ea"


def draw(report: Report, file: Path) -> None:
    """Write a PNG with a group of bars for each workload.

    The scale is logarithmic: from the forest in scikit-learn to nginx doing nothing it is a factor of
    thousands. So every bar has its value, and Flotilla's the factor.
    """
    import matplotlib as mpl  # takes a second, which `--help` needn't wait for

    mpl.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import EngFormatter

    figure, axes = plt.subplots(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    for index, (server, colour) in enumerate(BARS.items()):
        measured = [report.find(workload, server) for workload in WORKLOADS]
        positions = [group + (index - 1) * THICKNESS for group in range(len(WORKLOADS))]
        rates = [each.rate for each in measured]
        bars = axes.barh(positions, rates, THICKNESS, color=colour, label=LABELS[server])
        texts = [short(rate) for rate in rates]
        if server == FLOTILLA:
            factors = [report.ratio(report.find(each, FLOTILLA), FASTAPI) for each in WORKLOADS]
            texts = [
                f"{text}  ({describe_factor(factor)} x)"
                for text, factor in zip(texts, factors, strict=True)
            ]
        weight = "bold" if server == FLOTILLA else "normal"
        axes.bar_label(bars, texts, padding=3, fontsize=8.5, fontweight=weight)
    axes.set_xscale("log")
    axes.set_xlim(LEFT, ROOM * max(each.rate for each in report.measurements if each.server in BARS))
    axes.set_ymargin(0.01)
    axes.set_yticks(range(len(WORKLOADS)), [each.title.replace(": ", "\n") for each in WORKLOADS])
    axes.invert_yaxis()
    axes.set_xlabel("rows a second, logarithmic; in brackets: times the hand-written FastAPI server")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.suptitle(f"Rows a second on {in_short(report.machine)}", fontsize=11, fontweight="bold")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(file)
    plt.close(figure)
