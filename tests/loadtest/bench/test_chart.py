"""The chart: a picture of the size that a README shows."""

from pathlib import Path

from PIL import Image

from loadtest.bench.chart import draw
from tests.loadtest.bench.reports import report


def test_chart_is_a_picture(tmp_path: Path) -> None:
    """A PNG, twice as wide as it is shown, and not blank."""
    draw(report(), tmp_path / "bench.png")
    with Image.open(tmp_path / "bench.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 1600
        assert len(picture.convert("RGB").getcolors(maxcolors=100_000)) > 10
