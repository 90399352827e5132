"""Payloads of all five samples: a replica takes what they ask, and answers what they expect."""

import json
from pathlib import Path

import pytest

from deploy.errors import Refused
from loadtest.payloads import MARK, MARKS, Payloads, make_payloads, mark, read, right, write
from service.protocols.v1 import V1
from service.version import LoadedVersion, load_version

SAMPLES = ("digits", "digits-forest", "house-prices", "spam", "movies")


def served(version: LoadedVersion, body: bytes) -> list:
    """Return what a replica's engine answers to a request, decoded as a replica does."""
    asked = V1(version, max_rows=1000).decode(body)
    columns = version.engine.run(asked.rows, asked.outputs)
    return list(columns[asked.outputs[0]].tolist())


@pytest.mark.parametrize("model", SAMPLES)
@pytest.mark.parametrize("rows", [1, 7])
def test_expects_what_the_engine_answers(sample_registry: Path, model: str, rows: int) -> None:
    """Whatever number a request gets, the model that serves gives the answer that is expected of it."""
    folder = sample_registry / model / "1"
    version, payloads = load_version(folder), make_payloads(folder, rows=rows, most=20)
    assert payloads.path == f"/v1/models/{model}:predict"
    assert len(payloads.templates) >= 15, (
        "a row beside a split of a tree has another answer, and is left out"
    )
    for number, template in enumerate(payloads.templates):
        assert template.body.count(MARK) == rows == len(template.expected)
        for chosen in (0, number * 12345, MARKS - 1):
            answer = served(version, template.body.replace(MARK, mark(chosen)))
            assert right(template.expected, answer)


@pytest.mark.parametrize("model", SAMPLES)
def test_no_two_numbers_make_the_same_row(sample_registry: Path, model: str) -> None:
    """Neighbouring numbers make rows that a cache tells apart, the answer being one and the same."""
    folder = sample_registry / model / "1"
    version = load_version(folder)
    body = make_payloads(folder, most=1).templates[0].body
    numbers = [0, 1, 2, 1000, MARKS - 2, MARKS - 1]
    keys = {
        key
        for number in numbers
        for key in V1(version, 10).decode(body.replace(MARK, mark(number))).rows.canonical()
    }
    assert len(keys) == len(numbers)


def test_repeats_have_no_mark(sample_registry: Path) -> None:
    """Rows that are to repeat are the sample's own, the same in each request."""
    payloads = make_payloads(sample_registry / "digits" / "1", unique=False, most=5)
    assert not any(MARK in each.body for each in payloads.templates)
    assert len({each.body for each in payloads.templates}) == 5


def test_more_rows_than_the_sample_has(sample_registry: Path) -> None:
    """A request may be larger than the sample: rows come again."""
    (template,) = make_payloads(sample_registry / "spam" / "1", rows=5000, most=3).templates
    assert len(json.loads(template.body.replace(MARK, mark(1)))["instances"]) == 5000
    assert len(template.expected) == 5000


@pytest.mark.parametrize(
    ("expected", "predictions", "agrees"),
    [
        ([3], [3], True),
        ([3], [8], False),
        (["spam"], ["ham"], False),
        ([200_000.0], [200_001.0], True),
        ([200_000.0], [201_000.0], False),
        ([3, 4], [3], False),
        ([3], None, False),
        ([3], "3", False),
    ],
)
def test_right(expected: list, predictions: object, agrees: bool) -> None:
    """Labels are to be equal, numbers to 1e-4 of their size, and none may be missing."""
    assert right(expected, predictions) is agrees


def test_written_and_read(sample_registry: Path, tmp_path: Path) -> None:
    """A generator's process reads what was written for it."""
    payloads: Payloads = make_payloads(sample_registry / "house-prices" / "1", most=10)
    write(payloads, tmp_path / "payloads")
    assert read(tmp_path / "payloads") == payloads


def test_refuses_what_is_no_version(tmp_path: Path) -> None:
    """A folder without a published version is refused with its name."""
    with pytest.raises(Refused, match=r"manifest\.json"):
        make_payloads(tmp_path)
