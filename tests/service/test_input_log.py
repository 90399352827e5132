"""The log of inputs: off by default, a bounded share of requests, and what was asked in one line."""

import json
import logging
from collections.abc import Iterator

import numpy as np
import pytest

from service.input_log import LINES_EACH_TIME, InputLog
from service.log_lines import JsonFormatter
from service.rows import TableRows, TensorRows, TextRows
from service.settings import Settings
from service.signature import Signature, Tensor
from tests.fakes import fake_version, pairs
from tests.polling import wait_until

TABLE = Signature(
    "table",
    (Tensor("a b", "float64", (-1,), nullable=True), Tensor("c", "string")),
    (Tensor("p", "bool"),),
)


@pytest.fixture
def inputs(caplog: pytest.LogCaptureFixture) -> Iterator[InputLog]:
    """Return a log of every request; ended when the test is over."""
    caplog.set_level(logging.INFO, "service.input_log")
    log = InputLog(1.0)
    yield log
    log.close(10.0)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return what was logged, as it stands in the file."""
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]


def test_off_by_default() -> None:
    """Nobody's input is logged unless somebody wants that; then there is no thread either."""
    log = InputLog(Settings().log_input_share)
    assert log.observer_of(fake_version()) is None
    assert log._thread is None
    log.close(1.0)


def test_line(inputs: InputLog, caplog: pytest.LogCaptureFixture) -> None:
    """A line has the event, the request's id, model, version, rows, and what was answered."""
    observer = inputs.observer_of(fake_version(name="m", number=3))
    observer.observe(b"id-1", pairs((1.0, np.nan)), {"predict": [3.0]})
    wait_until(lambda: caplog.records)
    (line,) = lines(caplog)
    assert line.pop("time")
    assert line == {
        "level": "info",
        "logger": "service.input_log",
        "message": "input",
        "request_id": "id-1",
        "event": "input",
        "model": "m",
        "version": "3",
        "rows": [[1.0, None]],
        "predictions": {"predict": [3.0]},
    }


@pytest.mark.parametrize(
    ("rows", "logged"),
    [
        (TextRows(["a\nb", "c"]), ["a\nb", "c"]),
        (
            TableRows(TABLE, [(1.5, "x"), (None, "y")]),
            [{"a b": 1.5, "c": "x"}, {"a b": None, "c": "y"}],
        ),
    ],
)
def test_rows_as_clients_send_them(
    inputs: InputLog, caplog: pytest.LogCaptureFixture, rows: TextRows | TableRows, logged: object
) -> None:
    """Texts are strings, a table's rows have their columns' names."""
    inputs.observer_of(fake_version()).observe(b"", rows, {"predict": ["a", "b"]})
    inputs.close(10.0)
    (line,) = lines(caplog)
    assert line["rows"] == logged
    assert "request_id" not in line


def test_batch(inputs: InputLog, caplog: pytest.LogCaptureFixture) -> None:
    """Of a batch at most 16 rows are logged, with the answers that belong to them."""
    rows = TensorRows(np.arange(200.0).reshape(100, 2))
    inputs.observer_of(fake_version()).observe(b"", rows, {"predict": rows.values[:, 0].tolist()})
    inputs.close(10.0)
    (line,) = lines(caplog)
    assert [row[0] for row in line["rows"]] == line["predictions"]["predict"]
    assert len(line["rows"]) <= 16


def test_rate(inputs: InputLog, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond twenty a second requests are left out, and the log says how many."""
    # Given by hand, so that no second ends meanwhile.
    log = InputLog(1.0)
    observer = inputs.observer_of(fake_version())
    observer._log = log
    for _ in range(LINES_EACH_TIME + 5):
        observer.observe(b"", pairs((1.0, 2.0)), {"predict": [3.0]})
    log.write()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["input"] * LINES_EACH_TIME + ["inputs left out: 5, beyond 20 a second"]
    observer.observe(b"", pairs((1.0, 2.0)), {"predict": [3.0]})
    log.write()
    assert [record.getMessage() for record in caplog.records][LINES_EACH_TIME + 1 :] == ["input"]


def test_share() -> None:
    """About the share that was asked for is taken."""
    log = InputLog(0.1)
    taken = 0
    observer = log.observer_of(fake_version())
    for _ in range(5000):
        observer.observe(b"", pairs((1.0, 2.0)), {"predict": [3.0]})
        taken += len(log._waiting)
        log._waiting.clear()
    log.close(10.0)
    assert 400 < taken < 600
