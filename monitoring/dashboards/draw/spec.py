"""What drawing reads of a dashboard's JSON; the rest is Grafana's own business."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field


class Step(Struct):
    """A colour from a value on; the first one has no value."""

    color: str
    value: float | None = None


class Thresholds(Struct):
    """Steps, the lowest first."""

    steps: list[Step]

    def colour(self, value: float) -> str:
        """Return the colour of a value."""
        reached = [step.color for step in self.steps if step.value is None or value >= step.value]
        return reached[-1]


class Defaults(Struct):
    """How values are shown, where no override says otherwise."""

    unit: str
    thresholds: Thresholds
    min: float | None = None
    max: float | None = None
    mappings: list[dict[str, Any]] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)


class Override(Struct):
    """How the values of one query or column are shown."""

    matcher: dict[str, str]
    properties: list[dict[str, Any]]


class FieldConfig(Struct):
    """Defaults and overrides."""

    defaults: Defaults
    overrides: list[Override] = field(default_factory=list)

    def overridden(self, matcher: str, name: str) -> dict[str, Any]:
        """Return what is shown otherwise for a query (`byFrameRefID`) or a column (`byName`)."""
        return {
            each["id"]: each["value"]
            for override in self.overrides
            if override.matcher == {"id": matcher, "options": name}
            for each in override.properties
        }


class Target(Struct, rename="camel"):
    """A query."""

    ref_id: str
    expr: str
    legend_format: str = ""
    instant: bool = False


class Place(Struct):
    """A panel's place on the grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


class Panel(Struct, rename="camel"):
    """A panel, or a row's heading, which has no queries."""

    id: int
    title: str
    type: str
    grid_pos: Place
    description: str = ""
    targets: list[Target] = field(default_factory=list)
    field_config: FieldConfig | None = None
    options: dict[str, Any] = field(default_factory=dict)
    transformations: list[dict[str, Any]] = field(default_factory=list)
    repeat: str | None = None

    @property
    def shown(self) -> FieldConfig:
        """How its values are shown; raise `ValueError` for a heading."""
        if self.field_config is None:
            raise ValueError(f"{self.title} shows no values")
        return self.field_config


class Variable(Struct):
    """A variable; `query` is what its values are, or for a `textbox` what is typed in."""

    name: str
    label: str
    type: str
    query: str


class _Templating(Struct):
    list: list[Variable]


class _Annotations(Struct):
    list: list[dict[str, Any]]


class Dashboard(Struct):
    """A dashboard."""

    uid: str
    title: str
    panels: list[Panel]
    templating: _Templating
    annotations: _Annotations


def read(file: Path) -> Dashboard:
    """Return a dashboard's JSON, typed; raise `msgspec.ValidationError` where something is missing."""
    return msgspec.json.decode(file.read_bytes(), type=Dashboard)
