"""Rows beside the sample: where a compiled model is most likely to answer differently.

A sample comes in, named groups of rows go out; called by `deploy.compile.parity`. Everything is drawn
from a fixed seed, so that publishing the same model twice compares the same rows.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature

Matrix = NDArray[np.float64]
EXTREMES = (0.0, -0.0, 1e-30, -1e-30, 1e6, -1e6, 1e30, -1e30)
STRINGS = ("", " ", "unknown", "ÄÖÜ ß 日本", "NULL", "nan")
TEXTS = (
    *STRINGS,
    "a",
    "\n\t",
    "İstanbul ΣΑΣ Straße ǅ",
    "ﬁne ½ ⅷ ²³ 12",
    "e\u0301te\u0301 cafe\u0301",
    "\U0001f600 😀!",
    "don't_stop #1 a.b-c",
    "\x00\x01",
)
_PAIRS = 256
_HALVINGS = 80
_SECONDS = 20.0
_ODD_ROWS = 64


def neighbours(
    rows: Rows, signature: Signature, score: Callable[[Rows], Matrix] | None
) -> Iterator[tuple[str, Rows]]:
    """Yield groups of rows; `score` gives the numbers that the model answers, where it has any."""
    rng = np.random.default_rng(0)
    if isinstance(rows, TextRows):
        yield "texts changed", TextRows([_changed(text, rng) for text in rows.values])
        yield "odd texts", TextRows([*TEXTS, " ".join(rows.values[:50])])
        return
    numbers = _numbers(rows)
    if numbers.shape[1]:
        if score is not None:
            beside = split_sides(rows, score, rng)
            if len(beside):
                yield "beside splits", beside
        for name, matrix in _moved(numbers, rng):
            yield name, _with_numbers(rows, matrix)
        few = rows.take(rng.integers(len(rows), size=_ODD_ROWS).tolist())
        yield "extreme numbers", _with_numbers(few, _extreme(_numbers(few), rng))
        gaps = [column.nullable for column in _number_columns(signature)]
        if any(gaps):
            missing = np.array(gaps) & (rng.random(_numbers(few).shape) < 0.3)
            missing[0] = gaps
            yield "missing numbers", _with_numbers(few, np.where(missing, np.nan, _numbers(few)))
    if isinstance(rows, TableRows):
        for position, column in enumerate(signature.inputs):
            if column.dtype != "float64":
                yield f"odd values in {column.name}", _odd(rows, position)


def split_sides(rows: Rows, score: Callable[[Rows], Matrix], rng: np.random.Generator) -> Rows:
    """Return rows on both sides of places where the answer jumps, to the last bit of a double.

    Found by halving the way between two rows that differ in one number, so that a threshold is met
    through whatever scales or rounds the numbers before it.
    """
    numbers = _numbers(rows)
    pairs = _affordable_pairs(rows, score)
    start, goal = rng.integers(len(rows), size=(2, pairs))
    column = rng.integers(numbers.shape[1], size=pairs)
    low, high = numbers[start, column], numbers[goal, column]
    usable = np.isfinite(low) & np.isfinite(high) & (low != high)
    start, column, low, high = start[usable], column[usable], low[usable], high[usable]
    if not len(start):
        return rows.take([])
    base = rows.take(start.tolist())

    def at(values: Matrix) -> Rows:
        moved = _numbers(base).copy()
        moved[np.arange(len(moved)), column] = values
        return _with_numbers(base, moved)

    begin = score(base)
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if ((middle == low) | (middle == high)).all():
            break
        same = np.isclose(score(at(middle)), begin, rtol=1e-9, atol=1e-12, equal_nan=True).all(axis=1)
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    jumps = ~np.isclose(score(at(low)), score(at(high)), rtol=1e-7, atol=1e-9).all(axis=1)
    kept = np.flatnonzero(jumps).tolist()
    around = [low, high, np.nextafter(low, -np.inf), np.nextafter(high, np.inf)]
    around += [np.float64(np.float32(side)) for side in (low, high)]
    first, *others = (at(values).take(kept) for values in around)
    return first.join(others)


def _affordable_pairs(rows: Rows, score: Callable[[Rows], Matrix]) -> int:
    """Return how many pairs can be halved within `_SECONDS`: fewer of a model that is slow."""
    some = rows.take(range(min(_PAIRS, len(rows))))
    started = time.perf_counter()
    score(some)
    spent = time.perf_counter() - started
    return max(8, min(_PAIRS, int(_PAIRS * _SECONDS / (spent * _HALVINGS))))


def _moved(numbers: Matrix, rng: np.random.Generator) -> Iterator[tuple[str, Matrix]]:
    noise = rng.standard_normal(numbers.shape)
    yield "last digits changed", numbers * (1 + 1e-9 * noise)
    yield "numbers moved", numbers + 0.1 * np.nanstd(numbers, axis=0) * noise
    yield "columns mixed", rng.permuted(numbers, axis=0)


def _extreme(numbers: Matrix, rng: np.random.Generator) -> Matrix:
    """Put an extreme value into one column of each row, and make the last eight 1,000 times larger."""
    extreme = numbers.copy()
    column = rng.integers(numbers.shape[1], size=len(numbers))
    extreme[np.arange(len(numbers)), column] = np.resize(EXTREMES, len(numbers))
    extreme[-8:] = numbers[-8:] * 1000
    return extreme


def _odd(rows: TableRows, position: int) -> TableRows:
    """Put other strings, or the other truth value, into one column of a few rows."""
    changed = []
    for row in rows.values[:4]:
        cell = row[position]
        others = (not cell,) if isinstance(cell, bool) else (*STRINGS, cell.upper(), f" {cell} ")
        changed += [(*row[:position], other, *row[position + 1 :]) for other in others]
    return TableRows(rows.signature, changed)


def _changed(text: str, rng: np.random.Generator) -> str:
    """Change a text in one of a few ways: its case, its words, their order, its length."""
    words = text.split(" ")
    cut = int(rng.integers(len(text) + 1))
    ways = (
        text.upper(),
        text[:cut],
        " ".join(rng.permutation(words)),
        f"{text} {text}",
        text.replace(" ", ", "),
        text.replace("e", "é"),
        f"{words[0]} " * 30,
    )
    return ways[int(rng.integers(len(ways)))]


def _number_columns(signature: Signature) -> list[Any]:
    if signature.kind == "tensor":
        return [signature.inputs[0]] * signature.width
    return [each for each in signature.inputs if each.dtype == "float64"]


def _numbers(rows: Rows) -> Matrix:
    """Return the numbers of rows as a matrix; a missing one is NaN."""
    if isinstance(rows, TensorRows):
        return rows.values
    assert isinstance(rows, TableRows)
    places = [i for i, each in enumerate(rows.signature.inputs) if each.dtype == "float64"]
    cells = [[row[i] for i in places] for row in rows.values]
    return np.array(cells, dtype=np.float64).reshape(len(cells), len(places))


def _with_numbers(rows: Rows, numbers: Matrix) -> Rows:
    """Return rows with other numbers in them."""
    if isinstance(rows, TensorRows):
        return TensorRows(np.ascontiguousarray(numbers))
    assert isinstance(rows, TableRows)
    places = [i for i, each in enumerate(rows.signature.inputs) if each.dtype == "float64"]
    changed = []
    for row, given in zip(rows.values, numbers.tolist(), strict=True):
        cells = list(row)
        for place, number in zip(places, given, strict=True):
            cells[place] = number
        changed.append(tuple(cells))
    return TableRows(rows.signature, changed)
