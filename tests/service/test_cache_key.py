"""Cache keys: everything that an answer depends on makes another key, and nothing else does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cache_key import KEY_PREFIX, RowKeys
from service.rows import TensorRows, TextRows
from tests.fakes import fake_version, pairs

ROW = pairs((1, 2))
PREDICT = ("predict",)


def key(
    name: str = "m",
    digest: str = "d",
    outputs: tuple[str, ...] = PREDICT,
    rows: TensorRows | TextRows = ROW,
) -> bytes:
    """Return the key of one row."""
    (only,) = fake_version(name=name, digest=digest).keys.of(rows, outputs)
    return only


def test_equal_input_has_the_same_key() -> None:
    """An equal row of the same version and outputs has the same key, in any replica and batch."""
    keys = fake_version(digest="d").keys.of(pairs((1, 2), (3, 4), (1, 2)), PREDICT)
    assert keys[0] == keys[2] == key()
    assert keys[0] != keys[1]


OTHER_QUESTIONS = {
    "model": {"name": "n"},
    "version": {"digest": "e"},
    "output": {"outputs": ("predict_proba",)},
    "more outputs": {"outputs": ("predict", "predict_proba")},
    "row": {"rows": pairs((1, 3))},
    "order in the row": {"rows": pairs((2, 1))},
}


@pytest.mark.parametrize("question", OTHER_QUESTIONS)
def test_another_question_has_another_key(question: str) -> None:
    """Model, version digest, outputs and row each make another key."""
    assert key(**OTHER_QUESTIONS[question]) != key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "a", "digest": "bc"}, {"name": "ab", "digest": "c"}),
        ({"outputs": ("a", "bc")}, {"outputs": ("ab", "c")}),
        ({"outputs": ("a", "b")}, {"outputs": ("b", "a")}),
        ({"outputs": ("ab",)}, {"outputs": ("a", "b")}),
        ({"outputs": ("a",), "rows": TextRows(["b"])}, {"outputs": ("a", "b"), "rows": TextRows([""])}),
        ({"outputs": ("a",), "rows": TextRows(["b"])}, {"outputs": ("ab",), "rows": TextRows([""])}),
    ],
)
def test_parts_do_not_run_together(one: dict[str, Any], other: dict[str, Any]) -> None:
    """What moves from one part of the question to the next makes another key."""
    assert key(**one) != key(**other)


def test_number_of_a_version_does_not_matter() -> None:
    """Two versions with the same files answer the same: they share what is cached."""
    one, two = fake_version(number=1, digest="d"), fake_version(number=2, digest="d")
    assert one.keys.of(ROW, PREDICT) == two.keys.of(ROW, PREDICT)


def test_large_rows_that_differ_in_one_bit() -> None:
    """Two rows of a megabyte that differ in the last bit of one number have different keys."""
    large = np.zeros((2, 1 << 17))
    large[1, 70_000] = np.nextafter(0, 1)
    one, other = fake_version().keys.of(TensorRows(large), PREDICT)
    assert one != other


def test_large_texts_that_differ_in_one_byte() -> None:
    """Two texts of a megabyte that differ in one character in the middle have different keys."""
    text = "x" * (1 << 20)
    one, other = fake_version().keys.of(
        TextRows([text, text[: 1 << 19] + "y" + text[(1 << 19) + 1 :]]), PREDICT
    )
    assert one != other


@given(st.lists(st.text(max_size=3), min_size=2, max_size=2, unique=True))
def test_different_texts_have_different_keys(texts: list[str]) -> None:
    """No two texts share a key."""
    one, other = fake_version().keys.of(TextRows(texts), PREDICT)
    assert one != other


def test_key_is_short() -> None:
    """A key is the prefix and 128 bits, however large the row is."""
    assert len(key()) == len(key(rows=TextRows(["x" * 10_000]))) == len(KEY_PREFIX) + 16
    assert key().startswith(KEY_PREFIX)


def test_keys_of_one_version_do_not_mix_outputs() -> None:
    """What is kept between calls for one set of outputs isn't used for another."""
    keys = RowKeys(fake_version().manifest)
    first = keys.of(ROW, PREDICT)
    assert keys.of(ROW, ("predict_proba",)) != first
    assert keys.of(ROW, PREDICT) == first
