"""Turn the runs into medians, spreads and ratios, for the terminal, for Markdown and as JSON.

In: the runs of each workload and server. Out: a `Report`. `__main__.py` calls it.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.bench.servers import FASTAPI, RETURN_200
from loadtest.bench.workloads import Workload
from loadtest.bench.wrk import Run

COLUMNS = ("", "rows/s", "min-max", "x FastAPI", "x return 200", "p99 ms", "failed")


@dataclass(frozen=True)
class Measurement:
    """All runs of one workload against one server."""

    workload: Workload
    server: str
    runs: tuple[Run, ...]

    @property
    def rates(self) -> list[float]:
        """Return rows per second of each run, in the order of the runs."""
        return [run.requests_per_second * self.workload.rows_per_request for run in self.runs]

    @property
    def rate(self) -> float:
        """Return the median of the rates."""
        return median(self.rates)

    @property
    def failed(self) -> int:
        """Count what went wrong in all the runs."""
        return sum(run.failed for run in self.runs)


@dataclass(frozen=True)
class Report:
    """What was measured, on what."""

    machine: dict[str, str]
    settings: dict[str, int]
    measurements: Sequence[Measurement]

    @property
    def failed(self) -> int:
        """Count what went wrong in all the runs: with any, the figures aren't to be quoted."""
        return sum(measurement.failed for measurement in self.measurements)

    def ratio(self, measurement: Measurement, server: str) -> float:
        """Return a measurement's rate as a multiple of another server's on the same workload."""
        rates = {(other.workload, other.server): other.rate for other in self.measurements}
        return measurement.rate / rates[measurement.workload, server]

    def cells(self, measurement: Measurement) -> tuple[str, ...]:
        """Return the cells of a measurement's row."""
        rates = measurement.rates
        return (
            measurement.server,
            short(measurement.rate),
            f"{short(min(rates))}-{short(max(rates))}",
            f"{self.ratio(measurement, FASTAPI):.2f}",
            f"{self.ratio(measurement, RETURN_200):.3f}",
            f"{median(run.p99_ms for run in measurement.runs):.1f}",
            f"{measurement.failed} FAILED" if measurement.failed else "0",
        )

    def sections(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """Return each workload's title with the rows of its servers."""
        groups = itertools.groupby(self.measurements, lambda each: each.workload)
        return [(workload.title, list(map(self.cells, group))) for workload, group in groups]

    def table(self) -> Table:
        """Return the table for a terminal of 80 columns."""
        table = Table(
            box=SIMPLE_HEAD, collapse_padding=True, show_edge=False, caption=self.conditions()
        )
        table.caption_justify = "left"
        for index, column in enumerate(COLUMNS):
            table.add_column(column, justify="right" if index else "left", no_wrap=index < 3)
        for title, rows in self.sections():
            table.add_section()
            table.add_row(f"[bold]{title}")
            for name, *cells in rows:
                table.add_row(f"  {name}", *cells, style="red" if cells[-1] != "0" else None)
        return table

    def markdown(self) -> str:
        """Return a table for each workload, and the conditions."""
        lines = []
        for title, rows in self.sections():
            rule = ["---"] + ["---:"] * (len(COLUMNS) - 1)
            table = [(title, *COLUMNS[1:]), rule, *rows]
            lines += ["| " + " | ".join(cells) + " |" for cells in table] + [""]
        return "\n".join([*lines, self.conditions(), ""])

    def json(self) -> str:
        """Return everything, each single run included."""
        measurements = [
            {
                **asdict(measurement),
                "rows_per_second": measurement.rate,
                "of_fastapi": self.ratio(measurement, FASTAPI),
                "of_return_200": self.ratio(measurement, RETURN_200),
                "failed": measurement.failed,
            }
            for measurement in self.measurements
        ]
        content = {"machine": self.machine, "settings": self.settings, "measurements": measurements}
        return json.dumps(content, indent=2) + "\n"

    def conditions(self) -> str:
        """Say in a few words how and on what it was measured."""
        settings = ", ".join(f"{value} {name}" for name, value in self.settings.items())
        parts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return (
            f"wrk on the same machine, closed loop: {settings}. Medians; no two bodies equal. "
            f"Flotilla through nginx, no cache; FastAPI with two workers, asked directly. {parts}."
        )


def short(rate: float) -> str:
    """Return a rate in three figures: more would claim a precision that no run has."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if rate >= limit:
            return f"{rate / limit:#.3g}".rstrip(".") + unit
    return f"{rate:.0f}"
