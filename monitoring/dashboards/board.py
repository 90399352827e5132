"""A dashboard: rows of panels come in, the JSON that Grafana is provisioned with goes out.

Places, numbers, variables, links and annotations are the same work for every dashboard, so it is
done here. `__main__.py` writes what comes out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from monitoring.dashboards.panels import DATASOURCE

COLUMNS = 24
TAG = "flotilla"

MODEL = ("model", "Model", "label_values(flotilla_model_info, model)")
VERSION = ("version", "Version", 'label_values(flotilla_model_info{model=~"$model"}, version)')
REPLICA = ("replica", "Replica", 'label_values(up{job="service"}, replica)')


def _moment(name: str, expression: str, text: str, colour: str) -> dict[str, Any]:
    """Return an annotation at the Unix times, in seconds, that a gauge holds.

    By hand: the SDK's type has no useValueForTime, without which the moments would be marked at which
    the gauge was read.
    """
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": f"{expression} * 1000",
        "step": "5s",
        "titleFormat": text,
        "useValueForTime": True,
    }


ANNOTATIONS = [
    _moment(
        "Route changes",
        "max by (model) (flotilla_route_changed_timestamp_seconds)",
        "Route of {{model}} changed",
        "purple",
    ),
    _moment(
        "Canary breaches",
        "max by (model) (flotilla_canary_breach_timestamp_seconds > 0)",
        "Canary of {{model}} was rolled back",
        "red",
    ),
]


@dataclass(frozen=True)
class Row:
    """Panels under a heading, from left to right, of one height (of 38 pixels) and of some widths.

    Widths begin again after the last, and panels wrap where the 24 columns are full: (8,) is three in
    a line, (6, 18) a narrow one and a wide one.
    """

    title: str
    height: int
    widths: tuple[int, ...]
    panels: tuple[model.Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard. `uid` is its address and its file's name.

    Variables have a name, a label and a query whose answers are their values; `typed` ones have a
    default instead, and anything may be typed in.
    """

    uid: str
    title: str
    description: str
    variables: tuple[tuple[str, str, str], ...]
    rows: tuple[Row, ...]
    typed: tuple[tuple[str, str, str], ...] = ()

    def render(self) -> str:
        """Return the JSON, the same for the same dashboard."""
        built = (
            dashboard.Dashboard(f"Flotilla: {self.title}")
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .readonly()
            .time("now-30m", "now")
            .refresh("10s")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .link(_links())
            .build()
        )
        variables = [_chosen(*each) for each in self.variables] + [_typed(*each) for each in self.typed]
        built.templating = model.DashboardDashboardTemplating([each.build() for each in variables])
        built.panels = list(_placed(self.rows))
        tree: dict[str, Any] = built.to_json()
        tree["annotations"] = {"list": ANNOTATIONS}
        return json.dumps(tree, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _placed(rows: tuple[Row, ...]) -> Iterator[model.Panel | model.RowPanel]:
    """Yield headings and panels with their number and place on the grid."""
    number, y = 0, 0
    for row in rows:
        number += 1
        place = model.GridPos(h=1, w=COLUMNS, x=0, y=y)
        yield model.RowPanel(title=row.title, id_val=number, grid_pos=place)
        y, x = y + 1, 0
        for panel, width in zip(row.panels, cycle(row.widths), strict=False):
            number += 1
            if x + width > COLUMNS:
                x, y = 0, y + row.height
            panel.id_val = number
            panel.grid_pos = model.GridPos(h=row.height, w=width, x=x, y=y)
            x += width
            yield panel
        y += row.height


def _chosen(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """Return a variable whose values Prometheus knows; several may be chosen."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.NUMERICAL_ASC)
        .multi(True)
        .include_all(True)
        # Not the list of all: requests that named no known model have an empty label.
        .all_value(".*")
        .current(model.VariableOption(True, ["All"], ["$__all"]))
    )


def _typed(name: str, label: str, default: str) -> dashboard.TextBoxVariable:
    """Return a variable that is typed in."""
    return (
        dashboard.TextBoxVariable(name)
        .label(label)
        .default_value(default)
        .current(model.VariableOption(True, default, default))
    )


def _links() -> dashboard.DashboardLink:
    """Return links to all dashboards of this folder, which keep the time and what is chosen."""
    return (
        dashboard.DashboardLink("Flotilla")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )
