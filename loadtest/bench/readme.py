"""The README's figures, written by a command: a report comes in, the text between two marks goes out.

`__main__.py` calls it with `--readme`.
"""

from pathlib import Path
from statistics import median
from textwrap import fill

from deploy.compile.timing import describe_factor
from loadtest.bench.machine import in_short
from loadtest.bench.report import ENGINE, FASTAPI, FLOTILLA, RETURN_200, Arrivals, Report, short
from loadtest.bench.workloads import WORKLOADS, Workload
from loadtest.markdown import markdown_table, write_between

BEGIN, END = "<!-- figures: written by `make bench-readme` -->", "<!-- end of figures -->"
WIDTH = 104
HEAD = ("rows a second", "Flotilla", "FastAPI", "factor", "of `return 200`", "of the engine alone")


def write_readme(report: Report, readme: Path, chart: str) -> None:
    """Replace what stands between the marks; `chart` is the picture's path from the README's folder.

    Raises `NoPlaceError` where they aren't there.
    """
    write_between(readme, BEGIN, END, figures(report, chart))


def figures(report: Report, chart: str) -> str:
    """Return the short table, the latencies, what a replica costs, and the conditions."""
    rows = [_cells(report, workload) for workload in WORKLOADS]
    texts = [
        fill(text, WIDTH, break_on_hyphens=False) for text in (_latencies(report), _conditions(report))
    ]
    picture = f"![Rows a second of each workload, as bars]({chart})"
    return "\n\n".join([markdown_table(HEAD, rows), picture, *texts])


def _cells(report: Report, workload: Workload) -> tuple[str, ...]:
    flotilla = report.find(workload, FLOTILLA)
    alone = "" if workload.shape == "repeats" else f"{report.ratio(flotilla, ENGINE):.2f}"
    return (
        workload.title,
        short(flotilla.rate),
        short(report.find(workload, FASTAPI).rate),
        describe_factor(report.ratio(flotilla, FASTAPI)),
        f"{report.ratio(flotilla, RETURN_200):.2g}",
        alone,
    )


def _latencies(report: Report) -> str:
    sentences = [
        f"{server} answers {short(runs[0].target_per_second)} arrivals a second, half its peak, "
        f"with {_p99(runs)}"
        for server, runs in report.arrivals.items()
    ]
    replica = report.replica
    return (
        f"Open loop, unique rows of `digits`, latency from the moment a request was due: "
        f"{'; '.join(sentences)}. One replica with one compiled model: {median(replica.pss_mb):.0f} MB "
        f"(PSS, master and worker), ready {median(replica.start_seconds):.2f} s after its start."
    )


def _p99(runs: list[Arrivals]) -> str:
    if not all(run.held for run in runs):
        return "a p99 that doesn't count, since the generator didn't hold the rate"
    middle, longest = (median(getattr(run, name) for run in runs) for name in ("p50_ms", "p99_ms"))
    return f"p50 {middle:.1f} ms and p99 {longest:.1f} ms"


def _conditions(report: Report) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    versions = ", ".join(
        f"{name} {report.machine[name]}" for name in ("nginx", "python", "scikit-learn")
    )
    return (
        "Medians of runs in turns; the generators run on the same cores as what they measure: "
        f"{settings}. Flotilla: nginx, two replicas, every check, cache and metric on. FastAPI: two "
        "uvicorn workers with scikit-learn, asked directly. The engine alone: one process that calls "
        f"it with those rows. {in_short(report.machine)}, {versions}."
    )
