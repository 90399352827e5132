"""Numbers are written as Grafana writes them."""

import pytest

from monitoring.dashboards.draw.units import tick_scale, write


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, "s", "1.23 ms"),
        (4000, "s", "1.11 hours"),
        (0, "s", "0 s"),
        (1234.5, "reqps", "1.23 K req/s"),
        (0.0012, "percentunit", "0.12%"),
        (123456789, "bytes", "118 MiB"),
        (0.000312, "currencyUSD", "$0.000312"),
        (0.5, "suffix: cores", "0.5 cores"),
        (1, "bool_yes_no", "Yes"),
        (-1500, "short", "-1.5 K"),
        (0.25, "none", "0.25"),
        (1e5, "none", "100000"),
        (float("nan"), "s", "no value"),
    ],
)
def test_write(value: float, unit: str, text: str) -> None:
    """A value has three digits, and the prefix of its size."""
    assert write(value, unit) == text


@pytest.mark.parametrize(
    ("values", "unit", "step", "texts"),
    [
        ([0, 0.25, 0.5], "short", 0.25, ["0", "0.25", "0.5"]),
        ([0.0025, 0.005], "s", 0.0025, ["2.5 ms", "5 ms"]),
        ([0.98, 0.985], "percentunit", 0.005, ["98%", "98.5%"]),
        ([1024**2, 1024**2 * 1.5], "bytes", 1024**2 / 2, ["1 MiB", "1.5 MiB"]),
    ],
)
def test_ticks_differ(values: list[float], unit: str, step: float, texts: list[str]) -> None:
    """Ticks of an axis have as many digits as tell them apart."""
    assert [write(value, unit, step) for value in values] == texts


def test_tick_scale() -> None:
    """Ticks are round in the unit that is written."""
    assert tick_scale([0, 3 * 1024**2], "bytes") == 1024**2
    assert tick_scale([0.002], "s") == 1e-3
    assert tick_scale([], "short") == 1
