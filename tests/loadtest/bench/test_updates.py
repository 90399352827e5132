"""The benchmark of updates: its percentiles, and that a command which fails ends it with its words."""

import pytest
from click.testing import CliRunner

from loadtest.bench.operations import give, right
from loadtest.bench.processes import StartError
from loadtest.bench.updates import main, percentile
from loadtest.client import Payload


def test_percentile() -> None:
    """A percentile is one of the values, whatever their order."""
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0.0, 0.5, 1.0)] == [1.0, 3.0, 5.0]
    assert percentile([7.0], 0.99) == 7.0


def test_a_command_that_fails(tmp_path: object) -> None:
    """A command of which nothing comes isn't measured: its words are told."""
    with pytest.raises(StartError, match="no model 'nothing'"):
        give({"FLOTILLA_HOME": str(tmp_path)}, ("rollback", "nothing"))
    assert give({"FLOTILLA_HOME": str(tmp_path)}, ("routes",)) > 0


def test_right() -> None:
    """Only a prediction is right."""
    payload = Payload(b"")
    assert right(payload, 200, {}, b'{"predictions":[1]}') is None
    assert right(payload, 200, {}, b'{"error":"x"}')
    assert right(payload, 503, {}, b'{"predictions":[1]}')


def test_help() -> None:
    """The command says what it measures."""
    assert "split routes, shadows and activations" in CliRunner().invoke(main, ["--help"]).output
