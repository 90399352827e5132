"""Tests of deploy/feedback and deploy/commands/feedback.py: what was kept, shown and exported."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, root_mean_squared_error

from deploy.cli import main
from deploy.errors import Refused
from deploy.feedback.kept import parse_since
from deploy.feedback.summary import f1_macro
from service.feedback.database import FILE, Database
from service.feedback.truths import Truth, Truths

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def keep(folder: Path, model: str, version: str, task: Any, pairs: list[tuple[Any, Any]]) -> None:
    """Keep (prediction, label) as a replica does."""
    database = Database(folder)
    Truths(database).keep(
        model,
        [
            Truth(version, "request", f"r-{position}", 0, task, prediction, label)
            for position, (prediction, label) in enumerate(pairs)
        ],
    )
    database.close()


def feedback(folder: Path, *words: str, expect: int = 0) -> str:
    """Run a command and return what it printed."""
    done = CliRunner().invoke(main, ["feedback", *words], env={"FEEDBACK_DIR": str(folder)})
    assert done.exit_code == expect, done.output
    return done.output


def shown(folder: Path, *words: str) -> dict[tuple[str, str], Any]:
    """Return what `feedback show` says of each version."""
    entries = json.loads(feedback(folder, "show", "--json", *words))
    return {(each["model"], each["version"]): each for each in entries}


def test_scores_are_scikit_learns(tmp_path: Path) -> None:
    """Accuracy, macro F1, MAE and RMSE are what scikit-learn makes of the same labels."""
    rng = np.random.default_rng(0)
    truth, predicted = (rng.integers(0, 5, 400).tolist() for _ in range(2))
    true_price, price = rng.normal(size=300).tolist(), rng.normal(size=300).tolist()
    keep(tmp_path, "digits", "1", "label", list(zip(predicted, truth, strict=True)))
    keep(tmp_path, "digits", "10", "label", [(1, 1)])
    keep(tmp_path, "digits", "9", "label", [(1, 2)])
    keep(tmp_path, "prices", "1", "number", [*zip(price, true_price, strict=True), (None, 1.0)])
    scores = shown(tmp_path)
    assert list(scores) == [("digits", "1"), ("digits", "9"), ("digits", "10"), ("prices", "1")]
    digits, prices = scores["digits", "1"], scores["prices", "1"]
    assert digits["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert digits["f1_macro"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert prices["mae"] == pytest.approx(mean_absolute_error(true_price, price))
    assert prices["rmse"] == pytest.approx(root_mean_squared_error(true_price, price))
    assert (digits["labels"], prices["labels"], digits["mae"]) == (400, 301, None)


def test_corrections_are_in_the_scores(tmp_path: Path) -> None:
    """A label that was corrected counts as what it is now, and is counted as corrected."""
    keep(tmp_path, "m", "1", "label", [(1, 1), (1, 1), (1, 1), (1, 1)])
    keep(tmp_path, "m", "1", "label", [(1, 2)])
    scores = shown(tmp_path)["m", "1"]
    assert (scores["accuracy"], scores["labels"], scores["corrected"]) == (0.75, 4, 1)


def test_a_table_for_people(tmp_path: Path) -> None:
    """Without --json it is a table with a line for each version."""
    keep(tmp_path, "m", "1", "label", [(1, 1), (1, 2)])
    lines = feedback(tmp_path, "show").splitlines()
    assert lines[0].split() == [
        "model",
        "version",
        "labels",
        "corrected",
        "accuracy",
        "macro",
        "F1",
        "MAE",
        "RMSE",
    ]
    assert lines[1].split() == ["m", "1", "2", "0", "0.5", "0.3333"]


def test_export_keeps_types(tmp_path: Path) -> None:
    """JSON lines hold predictions and labels as they were, CSV what a spreadsheet takes."""
    pairs = [(1, 1), ("ü,\n", '"x"'), (True, False), (0.1 + 0.2, None)]
    keep(tmp_path, "m", "1", "label", pairs)
    lines = [
        json.loads(line) for line in feedback(tmp_path, "export", "--format", "jsonl").splitlines()
    ]
    assert [(each["prediction"], each["label"]) for each in lines] == pairs
    first = {name: value for name, value in lines[0].items() if name != "time"}
    assert first == {
        "model": "m",
        "version": "1",
        "source": "request",
        "key": "r-0",
        "position": 0,
        "prediction": 1,
        "label": 1,
        "corrections": 0,
    }
    assert (
        abs(datetime.fromisoformat(lines[0]["time"]).timestamp() - datetime.now(UTC).timestamp()) < 600
    )
    target = tmp_path / "labels.csv"
    assert feedback(tmp_path, "export", "-o", str(target)) == ""
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    written = [("1", "1"), ("ü,\n", '"x"'), ("true", "false"), ("0.30000000000000004", "null")]
    assert [(row["prediction"], row["label"]) for row in rows] == written


def test_a_selection(tmp_path: Path) -> None:
    """Labels of one model, one version, or since a time, and no others."""
    keep(tmp_path, "a", "1", "label", [(1, 1)])
    keep(tmp_path, "a", "2", "label", [(1, 1)])
    keep(tmp_path, "b", "1", "label", [(1, 1)])
    assert set(shown(tmp_path, "--model", "a")) == {("a", "1"), ("a", "2")}
    assert set(shown(tmp_path, "--version", "1")) == {("a", "1"), ("b", "1")}
    assert set(shown(tmp_path, "--model", "a", "--version", "2")) == {("a", "2")}
    assert len(shown(tmp_path, "--since", "1h")) == 3
    assert shown(tmp_path, "--since", "2999-01-01") == {}
    assert len(feedback(tmp_path, "export", "--model", "b").splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", "2026-03-01T10:30:00+00:00"),
        ("36h", "2026-02-28T00:00:00+00:00"),
        ("7d", "2026-02-22T12:00:00+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00+00:00"),
    ],
)
def test_since(text: str, time: str) -> None:
    """A date, or how long ago; UTC unless it says otherwise."""
    assert parse_since(text, NOW) == datetime.fromisoformat(time).timestamp()


@pytest.mark.parametrize("text", ["yesterday", "7", "d", "-1d", "9" * 30 + "d"])
def test_no_time(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(Refused, match="expected a date as"):
        parse_since(text, NOW)


def test_nothing_there(tmp_path: Path) -> None:
    """Without labels, or with a damaged file, the command says what is the matter."""
    assert "no feedback in" in feedback(tmp_path, "show", expect=1)
    (tmp_path / FILE).write_text("damaged" * 100)
    assert "file is not a database" in feedback(tmp_path, "export", expect=1)


def test_reading_while_a_replica_writes(tmp_path: Path) -> None:
    """An open transaction of a replica holds up no reader."""
    keep(tmp_path, "m", "1", "label", [(1, 1)])
    database = Database(tmp_path)
    with database.writing():
        assert len(shown(tmp_path)) == 1
    database.close()


def test_f1_of_a_class_that_is_never_right() -> None:
    """A class that was only missed, or only mistaken, has an F1 of 0 and counts."""
    assert f1_macro(Counter({("a", "a"): 2, ("a", "b"): 1, ("c", "a"): 1})) == pytest.approx(
        f1_score(list("aaab"), list("aaca"), average="macro", zero_division=0)
    )
