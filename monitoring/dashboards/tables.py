"""Tables: a row for each value of a label, a column for each query, as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.dashboards.panels import DATASOURCE, Query, target, thresholds_of
from monitoring.dashboards.thresholds import Thresholds


@dataclass(frozen=True)
class Column:
    """A query with one series for each row; its value is shown under `title`."""

    title: str
    expr: str
    unit: str
    thresholds: Thresholds


def table(
    title: str,
    description: str,
    *,
    labels: dict[str, str],
    columns: Sequence[Column],
) -> model.Panel:
    """Return a table; `labels` are shown first, each under the title that it maps to."""
    builder = (
        tables.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        # Of a cell whose column says nothing else, which are the labels.
        .unit("string")
        .thresholds(thresholds_of(columns[0].thresholds))
        .show_header(True)
    )
    renamed, order = dict(labels), [*labels]
    for index, column in enumerate(columns):
        name = chr(ord("A") + index)
        query = target(name, Query(column.expr, ""), now=True, form=PromQueryFormat.TABLE)
        builder.with_target(query)
        # Grafana's name for the value of one query of several; a lone one has no letter.
        value = f"Value #{name}" if len(columns) > 1 else "Value"
        renamed[value] = column.title
        order.append(value)
        builder.override_by_name(
            column.title,
            [
                model.DynamicConfigValue("unit", column.unit),
                model.DynamicConfigValue("thresholds", thresholds_of(column.thresholds).build()),
                model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
            ],
        )
    # One line for each set of labels, instead of one for each query's.
    builder.with_transformation(model.DataTransformerConfig("merge", options={}))
    organised = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate(order)},
        "renameByName": renamed,
    }
    builder.with_transformation(model.DataTransformerConfig("organize", options=organised))
    return builder.build()
