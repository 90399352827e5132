"""Grafana's colours, dark and light."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours of the page, of panels and of what is written on them."""

    page: str
    panel: str
    border: str
    grid: str
    text: str
    faint: str


DARK = Theme("#111217", "#181b1f", "#2a2d33", "#2b2e34", "#d3d4de", "#8e909b")
LIGHT = Theme("#f4f5f5", "#ffffff", "#dcdde0", "#e6e7e9", "#24292e", "#6e7178")

NAMED = {
    "green": "#73bf69",
    "yellow": "#f2cc0c",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "orange": "#ff9830",
}
# The classic palette, in Grafana's order: series take colours as they come.
PALETTE = (
    *("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0"),
    *("#37872d", "#fade2a", "#447ebc", "#c15c17", "#e02f44", "#3274d9", "#a352cc", "#6d1f62"),
)
NO_DATA = NAMED["red"]
HEAT = "turbo"
