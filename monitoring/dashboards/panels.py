"""The kinds of panels: what a panel must say comes in, all of it required; Grafana's model goes out.

Over the Grafana Foundation SDK, whose builders leave everything optional. `board.py` gives panels
their place and number. https://grafana.github.io/grafana-foundation-sdk/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self, TypedDict, Unpack

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.builders import gauge as gauges
from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.dashboards.thresholds import Thresholds

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")


class Legend(Enum):
    """How a time series' legend is shown, below the graph."""

    LIST = ()
    MEAN_MAX = ("mean", "max")
    LAST = ("lastNotNull",)


@dataclass(frozen=True)
class Query:
    """An expression, and the name of its series, in which {{label}} stands for a label.

    `dashed` is for what is wanted, promised or a limit, beside what is.
    """

    expr: str
    legend: str
    dashed: bool = False


class Panel(TypedDict):
    """What no panel may lack, besides title and description; the unit is Grafana's name of it."""

    unit: str
    thresholds: Thresholds
    queries: Sequence[Query]


class _PanelBuilder(Protocol):
    """What the SDK's builders of panels have in common, of which it has no type."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: model.DataSourceRef) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def thresholds(self, thresholds: Builder[model.ThresholdsConfig]) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def build(self) -> model.Panel: ...


def time_series(
    title: str,
    description: str,
    *,
    legend: Legend,
    stacked: bool = False,
    lowest: float = 0,
    highest: float | None = None,
    repeat: str = "",
    **panel: Unpack[Panel],
) -> model.Panel:
    """Return lines over time, with thresholds as lines; `stacked` areas add up.

    The axis begins at `lowest`, or further down where values are lower, and ends at `highest`, where
    that is given. `repeat` names a variable: the panel is there for each of its values.
    """
    builder = (
        timeseries.Panel()
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .placement(options.LegendPlacement.BOTTOM)
            .display_mode(
                options.LegendDisplayMode.TABLE if legend.value else options.LegendDisplayMode.LIST
            )
            .calcs(list(legend.value))
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(options.TooltipDisplayMode.MULTI)
            .sort(options.SortOrder.DESCENDING)
        )
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                options.GraphTresholdsStyleMode.DASHED
                if panel["thresholds"].steps
                else options.GraphTresholdsStyleMode.OFF
            )
        )
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .show_points(options.VisibilityMode.NEVER)
        .line_width(1 if stacked else 2)
        .fill_opacity(_opacity(panel["queries"], stacked))
        .axis_soft_min(lowest)
    )
    if stacked:
        builder.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    if highest is not None:
        builder.max(highest)
    if repeat:
        builder.repeat(repeat).repeat_direction("h")
    for name, query in _named(panel["queries"]):
        if query.dashed:
            line = {"fill": "dash", "dash": [10, 10]}
            builder.override_by_query(
                name,
                [
                    model.DynamicConfigValue("custom.lineStyle", line),
                    model.DynamicConfigValue("custom.fillOpacity", 0),
                ],
            )
    return _described(builder, title, description, panel)


def stat(
    title: str, description: str, *, words: dict[int, str] | None = None, **panel: Unpack[Panel]
) -> model.Panel:
    """Return the newest value in large, coloured by its threshold; `words` replace whole numbers."""
    builder = (
        stats.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.NONE if words else options.BigValueGraphMode.AREA)
        .text_mode(
            options.BigValueTextMode.VALUE_AND_NAME
            if len(panel["queries"]) > 1
            else options.BigValueTextMode.VALUE
        )
    )
    if words:
        builder.mappings(
            [model.ValueMap({str(key): model.ValueMappingResult(word) for key, word in words.items()})]
        )
    return _described(builder, title, description, panel)


def gauge(title: str, description: str, *, highest: float, **panel: Unpack[Panel]) -> model.Panel:
    """Return a value on an arc from 0 to `highest`, for what has a limit."""
    builder = gauges.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    builder.min(0).max(highest).show_threshold_markers(True)
    return _described(builder, title, description, panel)


def bars(title: str, description: str, *, highest: float, **panel: Unpack[Panel]) -> model.Panel:
    """Return a bar for each series as it is now, from 0 to `highest`, coloured by its threshold."""
    builder = (
        bargauge.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .show_unfilled(True)
        .min(0)
        .max(highest)
    )
    return _described(builder, title, description, panel, now=True)


def heat_map(title: str, description: str, **panel: Unpack[Panel]) -> model.Panel:
    """Return how observations spread over a histogram's buckets, over time; `unit` is the buckets'."""
    builder = (
        heatmaps.Panel()
        .calculate(False)
        .y_axis(heatmaps.YAxisConfig().unit(panel["unit"]))
        .color(heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Turbo").steps(64))
        .filter_values(heatmaps.FilterValueRange().le(1e-9))
        .cell_gap(0)
        .show_tooltip()
        .hide_legend()
    )
    return _described(builder, title, description, panel, form=PromQueryFormat.HEATMAP)


def target(
    name: str, query: Query, *, now: bool = False, form: PromQueryFormat = PromQueryFormat.TIME_SERIES
) -> prometheus.Dataquery:
    """Return a query as Grafana sends it; `now` asks for the newest value alone."""
    built = (
        prometheus.Dataquery().ref_id(name).expr(query.expr).legend_format(query.legend).format(form)
    )
    return built.instant() if now else built.range()


def _opacity(queries: Sequence[Query], stacked: bool) -> int:
    """Return how much the area below a line is filled, in percent: many areas make a fog."""
    alone = len(queries) == 1 and "{{" not in queries[0].legend
    return 55 if stacked else 10 if alone else 0


def _named(queries: Sequence[Query]) -> list[tuple[str, Query]]:
    return [(chr(ord("A") + index), query) for index, query in enumerate(queries)]


def thresholds_of(thresholds: Thresholds) -> dashboard.ThresholdsConfig:
    """Return thresholds as Grafana has them: the first step is at minus infinity, written null."""
    steps = [model.Threshold(None, thresholds.base)]
    steps += [model.Threshold(value, colour) for value, colour in thresholds.steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _described(
    builder: _PanelBuilder,
    title: str,
    description: str,
    panel: Panel,
    now: bool = False,
    form: PromQueryFormat = PromQueryFormat.TIME_SERIES,
) -> model.Panel:
    return (
        builder.title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(panel["unit"])
        .thresholds(thresholds_of(panel["thresholds"]))
        .targets([target(name, query, now=now, form=form) for name, query in _named(panel["queries"])])
        .build()
    )
