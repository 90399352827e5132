"""What is sent to Prometheus instead of Grafana's variables."""

import pytest

from monitoring.dashboards.__main__ import BOARDS, file_of
from monitoring.dashboards.board import Board
from monitoring.dashboards.draw.source import QueryError, Source, choose
from monitoring.dashboards.draw.spec import Step, Thresholds, read

NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(("seconds", "window"), [(300, "20s"), (3600, "20s"), (86400, "365s")])
def test_rate_interval(seconds: int, window: str) -> None:
    """A rate looks at four scrapes at least, and at every one between two points."""
    assert Source(NOBODY, 1e9, seconds).expand("rate(a[$__rate_interval])") == f"rate(a[{window}])"


def test_unknown_variable() -> None:
    """A variable that isn't defined is an error, not an empty text that matches everything."""
    with pytest.raises(QueryError, match=r"no variable \$model in: up\{a=~\"\$model\"\}"):
        Source(NOBODY, 1e9, 300).expand('up{a=~"$model"}')


def test_values_of_copies() -> None:
    """A value that is given for one panel isn't there for the next."""
    source = Source(NOBODY, 1e9, 300)
    assert source.with_values(model="digits").expand("$model $__range") == "digits 300s"
    with pytest.raises(QueryError):
        source.expand("$model")


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.title)
def test_choose(board: Board) -> None:
    """Without a choice all is chosen, and what is typed in has its default."""
    source = choose(Source(NOBODY, 1e9, 300), read(file_of(board)), {"model": "spam", "none": "x"})
    expected = {name: "spam" if name == "model" else ".*" for name, *_ in board.variables}
    expected |= {name: default for name, _, default in board.typed}
    assert {name: source.expand(f"${name}") for name in expected} == expected


def test_not_label_values() -> None:
    """A variable of another kind of query is refused with that query."""
    with pytest.raises(QueryError, match="not label_values"):
        Source(NOBODY, 1e9, 300).label_values("query_result(up)")


def test_threshold_colours() -> None:
    """A value has the colour of the highest step that it has reached."""
    steps = Thresholds([Step("green"), Step("yellow", 0.1), Step("red", 0.25)])
    assert [steps.colour(value) for value in (-1, 0.1, 0.2, 0.25)] == [
        "green",
        "yellow",
        "yellow",
        "red",
    ]
