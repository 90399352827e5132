"""A report as tables, for a terminal of 80 columns and in Markdown: workloads, arrivals, targets.

In: a `Report`. Out: something that rich prints, or text. `__main__.py` calls it.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from loadtest.bench.report import FASTAPI, RETURN_200, Arrivals, Measurement, Report, short
from loadtest.bench.targets import targets
from loadtest.bench.workloads import WORKLOADS
from loadtest.markdown import Rows, markdown_table

Section = tuple[tuple[str, ...], Rows]

COLUMNS = ("", "rows/s", "min-max", "x FastAPI", "x return 200", "p99 ms", "failed")
WIDTHS = (13, 7, 13, 10, 13, 8, 9)
OPEN_LOOP = (
    "digits: unique rows, at half the peak, open loop",
    "target/s",
    "held/s",
    "p50 ms",
    "p99 ms",
    "max ms",
    "failed",
)
TARGETS = ("targets", "wanted", "reached", "met")
BAD = "FAILED", "NO"


def sections(report: Report) -> Iterator[Section]:
    """Yield each table: its head, whose first cell is a title, and its rows."""
    for workload in WORKLOADS:
        measured = [each for each in report.measurements if each.workload == workload]
        yield (workload.title, *COLUMNS[1:]), [_cells(report, each) for each in measured]
    yield OPEN_LOOP, [_arrival_cells(server, runs) for server, runs in report.arrivals.items()]
    yield TARGETS, [target.cells for target in targets(report)]


def for_terminal(report: Report) -> Group:
    """Return the tables for a terminal of 80 columns; workloads share the widths of their columns."""
    *workloads, arrivals, wanted = sections(report)
    aligned = [_table((title, rows), WIDTHS) for title, rows in workloads]
    return Group(*aligned, _table(arrivals), _table(wanted), conditions(report))


def markdown(report: Report) -> str:
    """Return the tables and the conditions in Markdown."""
    return (
        "\n\n".join([*(markdown_table(*each) for each in sections(report)), conditions(report)]) + "\n"
    )


def conditions(report: Report) -> str:
    """Say how and on what it was measured, and which tiers answered the repeats."""
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    parts = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    tiers = "; ".join(
        f"{each.workload.model} {', '.join(f'{tier} {count}' for tier, count in each.tiers.items())}"
        for each in report.measurements
        if each.tiers
    )
    return (
        f"wrk and the open-loop generator on the same cores as what they measure: {settings}. "
        "Medians of runs in turns; no two unique rows equal; repeats by Zipf's law, 1.1, of 1,000. "
        "Flotilla through nginx; FastAPI with two workers, asked directly; the engine alone is one "
        f"process that calls it, without HTTP. Repeats were answered by (X-Cache): {tiers}. {parts}."
    )


def _table(section: Section, widths: Sequence[int] = ()) -> Table:
    (title, *columns), rows = section
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.title_style = "bold"
    for column, width in zip_longest(("", *columns), widths):
        table.add_column(column, justify="right" if column else "left", width=width, no_wrap=True)
    for row in rows:
        table.add_row(*row, style="red" if row[-1].endswith(BAD) else None)
    return table


def _cells(report: Report, measurement: Measurement) -> tuple[str, ...]:
    rates = measurement.rates
    return (
        measurement.server,
        short(measurement.rate),
        f"{short(min(rates))}-{short(max(rates))}",
        f"{report.ratio(measurement, FASTAPI):.2f}",
        f"{report.ratio(measurement, RETURN_200):.3f}",
        f"{measurement.p99_ms:.1f}" if measurement.p99_ms >= 1 else f"{measurement.p99_ms:.3f}",
        f"{measurement.failed} FAILED" if measurement.failed else "0",
    )


def _arrival_cells(server: str, runs: list[Arrivals]) -> tuple[str, ...]:
    """Refuse latencies of a rate that wasn't held: they would be those of fewer arrivals."""
    latencies = [median(getattr(run, name) for run in runs) for name in ("p50_ms", "p99_ms", "max_ms")]
    held = all(run.held for run in runs)
    failed = sum(run.failed for run in runs)
    return (
        server,
        short(runs[0].target_per_second),
        short(median(run.held_per_second for run in runs)),
        *(f"{each:.2f}" if held else "refused" for each in latencies),
        f"{failed} FAILED" if failed else "0",
    )
