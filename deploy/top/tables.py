"""The tables of `flotilla top`: versions or replicas come in, tables of rich go out; `screen` calls."""

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from deploy.top.cells import NOTHING, duration, number, percent, seconds, size, whole
from deploy.top.charts import bar
from deploy.top.columns import Column, make_table
from deploy.top.figures import ReplicaFigures, VersionFigures

BAR_CELLS, WIDE_BAR_CELLS = 8, 10
# Emptier from the left to the right, so that the legend holds without colours; none fills its cell, so
# that the bars of two lines stay apart.
CACHE_LOOKS = {
    "edge": ("■", "cyan"),
    "Redis": ("▣", "blue"),
    "miss": ("□", "yellow"),
    "bypass": ("·", "bright_black"),
}
CPU_LOOKS = (("■", "green"), ("·", "bright_black"))
# The usual bounds of the population stability index: something has changed, much has.
PSI_SOME, PSI_MUCH = 0.1, 0.25
ERRORS_MANY = 0.01
CPU_FULL = 0.9


def versions_table(rows: Sequence[VersionFigures], most: int, width: int) -> Table:
    """Return at most so many of the versions as a table, a model's name on the first of its own."""
    first = {each.model: each for each in reversed(rows)}
    columns = [
        Column[VersionFigures](
            "model", lambda row: row.model if first[row.model] is row else "", left=True
        ),
        *_VERSION_COLUMNS,
    ]
    return make_table(columns, rows, most, width, "No version is loaded, routed or asked.")


def replicas_table(rows: Sequence[ReplicaFigures], most: int, width: int) -> Table:
    """Return at most so many of the replicas as a table."""
    return make_table(_REPLICA_COLUMNS, rows, most, width, "Prometheus looks at no replica.")


def error_style(ratio: float | None) -> str:
    """Return the colour of a share of errors."""
    if not ratio:
        return ""
    return "red" if ratio >= ERRORS_MANY else "yellow"


def _both_shares(row: VersionFigures) -> str:
    """Return the share that a version has, of the one that it should have."""
    if row.share_wanted is None:
        return percent(row.share)
    have = NOTHING if row.share is None else percent(row.share).removesuffix(" %")
    return f"{have}/{percent(row.share_wanted)}"


def _errors(row: VersionFigures) -> Text:
    return Text(percent(row.error_ratio), error_style(row.error_ratio))


def _cache(cells: int) -> Callable[[VersionFigures], Text]:
    def write(row: VersionFigures) -> Text:
        if row.cache is None:
            return Text(NOTHING)
        shares = (row.cache.edge, row.cache.redis, row.cache.miss, row.cache.bypass)
        return bar(shares, tuple(CACHE_LOOKS.values()), cells)

    return write


def _score(row: VersionFigures) -> str:
    if row.score is None:
        return NOTHING
    if row.score.name == "accuracy":
        return f"acc {row.score.value:.3f}"
    return f"MAE {number(row.score.value)}"


def _psi(named: bool) -> Callable[[VersionFigures], Text]:
    def write(row: VersionFigures) -> Text:
        if row.drift is None:
            return Text(NOTHING)
        psi = row.drift.psi
        style = "red" if psi >= PSI_MUCH else "yellow" if psi >= PSI_SOME else ""
        return Text(f"{psi:.2f} {row.drift.feature}" if named else f"{psi:.2f}", style)

    return write


def _ready(row: ReplicaFigures) -> Text:
    if not row.up:
        return Text("✗ down", "bold red")
    if row.ready is None:
        return Text(NOTHING)
    return Text("● ready", "green") if row.ready else Text("○ not yet", "yellow")


def _cpu(row: ReplicaFigures) -> Text:
    return Text(percent(row.cpu), "yellow" if (row.cpu or 0.0) >= CPU_FULL else "")


def _cpu_bar(row: ReplicaFigures) -> Text:
    """Return how busy a replica keeps one core, which is all that Python can use."""
    if row.cpu is None:
        return Text()
    busy = min(1.0, row.cpu)
    return bar((busy, 1.0 - busy), CPU_LOOKS, WIDE_BAR_CELLS)


def _queue(row: ReplicaFigures) -> Text:
    return Text(whole(row.queue_rows), "yellow" if row.queue_rows else "")


_VERSION_COLUMNS = (
    Column[VersionFigures]("v", lambda row: row.version),
    Column[VersionFigures]("engine", lambda row: row.engine or NOTHING, narrow=False, left=True),
    Column[VersionFigures]("wanted", lambda row: percent(row.share_wanted), narrow=False),
    Column[VersionFigures]("share", lambda row: percent(row.share), narrow=False),
    Column[VersionFigures]("share", _both_shares, wide=False),
    Column[VersionFigures]("req/s", lambda row: number(row.requests_per_second)),
    Column[VersionFigures]("rows/s", lambda row: number(row.rows_per_second), narrow=False),
    Column[VersionFigures]("p50", lambda row: seconds(row.p50_seconds), narrow=False),
    Column[VersionFigures]("p99", lambda row: seconds(row.p99_seconds)),
    Column[VersionFigures]("errors", _errors),
    Column[VersionFigures]("cache", _cache(BAR_CELLS), wide=False),
    Column[VersionFigures]("cache", _cache(WIDE_BAR_CELLS), narrow=False),
    Column[VersionFigures]("score", _score),
    Column[VersionFigures]("PSI", _psi(named=False), wide=False),
    Column[VersionFigures]("largest PSI", _psi(named=True), narrow=False, left=True),
)
_REPLICA_COLUMNS = (
    Column[ReplicaFigures]("replica", lambda row: row.replica, left=True),
    Column[ReplicaFigures]("state", _ready, left=True),
    Column[ReplicaFigures]("req/s", lambda row: number(row.requests_per_second)),
    Column[ReplicaFigures]("p99", lambda row: seconds(row.p99_seconds)),
    Column[ReplicaFigures]("CPU", _cpu),
    Column[ReplicaFigures]("of a core", _cpu_bar, narrow=False, left=True),
    Column[ReplicaFigures]("memory", lambda row: size(row.memory_bytes)),
    Column[ReplicaFigures]("in flight", lambda row: whole(row.in_flight)),
    Column[ReplicaFigures]("queue", _queue),
    Column[ReplicaFigures]("up for", lambda row: duration(row.uptime_seconds)),
)
