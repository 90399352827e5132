"""Tests of service/feedback/entries.py: what a body may hold, and how it is refused."""

import json
from typing import Any

import pytest

from service.errors import BadInput
from service.feedback.entries import Entry, read_entries
from service.rows import TableRows
from service.signature import Signature, Tensor
from tests.fakes import PAIR

TABLE = Signature(
    "table", (Tensor("city", "string"), Tensor("size", "float64")), (Tensor("predict", "float64"),)
)
TEXT = Signature("text", (Tensor("text", "string"),), (Tensor("predict", "int64"),), (0, 1))


def read(body: Any, most: int = 100) -> list[Entry]:
    """Read a body that is written as JSON here."""
    return read_entries(json.dumps(body).encode(), most)


def test_one_entry_and_several_are_the_same() -> None:
    """The short form means what a list of one does; places in errors are the body's own."""
    (short,) = read({"request_id": "a", "label": 3})
    (long,) = read({"feedback": [{"request_id": "a", "labels": [3]}]})
    assert (short.request_id, short.labels) == (long.request_id, long.labels) == ("a", [3])
    assert short.label_at(0) == "label"
    assert long.label_at(0) == "feedback[0].labels[0]"


@pytest.mark.parametrize(
    ("signature", "row"), [(PAIR, [1, 2]), (TABLE, {"city": "Ulm", "size": 70}), (TEXT, "hello")]
)
def test_rows_are_those_of_a_prediction(signature: Signature, row: Any) -> None:
    """Rows of each kind come out, one alone or in a list, as V1 reads them."""
    (one,) = read({"instance": row, "label": 1})
    (many,) = read({"instances": [row, row], "labels": [1, 0]})
    single, double = one.read_rows(signature), many.read_rows(signature)
    assert (len(single), len(double)) == (1, 2)
    assert double.canonical() == 2 * single.canonical()


def test_a_row_of_a_table_in_a_list() -> None:
    """A table's row may be a list in the order of its columns."""
    (entry,) = read({"instance": ["Ulm", 70], "label": 1})
    rows = entry.read_rows(TABLE)
    assert isinstance(rows, TableRows)
    assert rows.values == [("Ulm", 70.0)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "body: expected an object, got an empty list"),
        ({}, 'body: expected exactly one of "request_id", "instances", "instance"; got none'),
        ({"label": 1}, 'body: expected exactly one of "request_id"'),
        ({"request_id": "a"}, 'body: expected exactly one of "labels", "label"; got none'),
        ({"request_id": "a", "label": 1, "labels": [1]}, 'got "labels" and "label"'),
        ({"request_id": "a", "instance": [1, 2], "label": 1}, 'got "request_id" and "instance"'),
        ({"request_id": 7, "label": 1}, "request_id: expected a string, got 7"),
        ({"request_id": "", "label": 1}, "request_id: "),
        ({"request_id": "x" * 129, "label": 1}, "request_id: "),
        ({"request_id": "a", "id": "b", "label": 1}, "id: it names rows"),
        ({"request_id": "a", "labels": 1}, "labels: expected a list"),
        ({"request_id": "a", "labels": []}, "labels: "),
        ({"request_id": "a", "label": 1, "colour": 2}, "colour"),
        ({"feedback": []}, "feedback: "),
        ({"feedback": {}}, "feedback: expected a list"),
        ({"feedback": [{"request_id": "a", "label": 1}], "label": 1}, 'beside "feedback", got "label"'),
        (
            {"feedback": [{"request_id": "a", "label": 1}, {"label": 1}]},
            "feedback[1]: expected exactly",
        ),
        ({"feedback": [{"instances": [[1]], "labels": [1] * 101}]}, "at most 100 labels, got 101"),
    ],
)
def test_refusals(body: Any, words: str) -> None:
    """What doesn't fit is refused with its place, what was expected and what came."""
    with pytest.raises(BadInput) as refused:
        read(body)
    assert words in refused.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"label": NaN}', b"[" * 100_000])
def test_no_json(body: bytes) -> None:
    """What isn't JSON is refused, NaN as well."""
    with pytest.raises(BadInput):
        read_entries(body, 100)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"instance": [1], "label": 1}, "instance: expected a list of length"),
        (
            {"feedback": [{"instances": [[1, "x"]], "labels": [1]}]},
            "feedback[0].instances[0][1]: expected",
        ),
        ({"instances": 3, "labels": [1]}, "instances: expected a list, got 3"),
    ],
)
def test_rows_that_do_not_fit(body: Any, words: str) -> None:
    """A row is checked against the signature, and its place is named."""
    (entry,) = read(body)
    with pytest.raises(BadInput) as refused:
        entry.read_rows(PAIR)
    assert words in refused.value.message


def test_as_many_labels_as_rows() -> None:
    """One label for each row, neither fewer nor more."""
    (entry,) = read({"instances": [[1, 2], [3, 4]], "labels": [1, 2]})
    entry.check_count(2)
    for rows in (1, 3):
        with pytest.raises(BadInput, match=rf"labels: expected a label for each of {rows} rows, got 2"):
            entry.check_count(rows)
