"""Numbers as Grafana writes them: a unit's name and values come in, short texts go out.

https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
"""

from collections.abc import Sequence
from math import floor, isfinite, log10

THOUSANDS = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
BINARY = ((2.0**40, " TiB"), (2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"), (1.0, " B"))
DURATIONS = (
    (86400.0, " days"),
    (3600.0, " hours"),
    (60.0, " mins"),
    (1.0, " s"),
    (1e-3, " ms"),
    (1e-6, " µs"),
    (1e-9, " ns"),
)
PER_SECOND = {"reqps": " req/s", "rowsps": " rows/s", "cps": " c/s"}


def write(value: float, unit: str, step: float | None = None) -> str:
    """Return a value with its unit; with as many digits as steps of `step` need, else three."""
    if not isfinite(value):
        return "no value" if value != value else "∞"
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    if unit == "percentunit":
        return _digits(value * 100, step and step * 100) + "%"
    if unit == "currencyUSD":
        return "$" + _digits(value, step)
    if unit.startswith("suffix:"):
        return _digits(value, step) + unit.removeprefix("suffix:")
    scale, suffix = _scale(max(abs(value), step or 0.0), unit)
    after = PER_SECOND.get(unit, "")
    return _digits(value / scale, step and step / scale) + suffix + after


def tick_scale(values: Sequence[float], unit: str) -> float:
    """Return by what axis ticks should be whole numbers of: 1024² for MiB, 60 for minutes."""
    largest = max((abs(value) for value in values), default=0.0)
    if unit == "percentunit":
        return 0.01
    return _scale(largest, unit)[0]


def _scale(value: float, unit: str) -> tuple[float, str]:
    steps = {"bytes": BINARY, "s": DURATIONS}.get(unit, THOUSANDS if unit != "none" else ())
    for scale, suffix in steps:
        if value >= scale:
            return scale, suffix
    return (1.0, " s" if unit == "s" else " B" if unit == "bytes" else "")


def _digits(value: float, step: float | None) -> str:
    if value == 0:
        return "0"
    if step:  # as many as tell one tick from the next: 0.25 has more than 0.2
        decimals = next((n for n in range(9) if abs(round(step, n) - step) < 1e-3 * step), 9)
    else:
        decimals = min(max(0, 2 - floor(log10(abs(value)) + 1e-9)), 9)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
