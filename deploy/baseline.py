"""The baseline of a version: its sample and what it predicts come in, bins and their shares go out.

Called by `deploy.publish`. What is written tells of no single row: an edge lies between two values of
the sample, on the shortest number that does, and a category is named if several rows share it.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deploy.bin_edges import bin_edges
from deploy.sample import Sample
from service.drift.baseline import BASELINE, PREDICTED, PREDICTION, Baseline, Feature, Measure
from service.drift.binning import MEASURES, Binner
from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature

MOST_BINS = 10
MOST_CATEGORIES = 20  # "(other)" among them
MOST_FEATURES = 1000
MOST_ROWS = 10_000
# PSI of two samples of one distribution is about chi-squared (Yurdakul 2018), (bins - 1)(1/n + 1/m) on
# average: with so many rows of the sample for each bin the sample's own part is at most 0.05.
ROWS_A_BIN = 20
LEAST_CATEGORY_ROWS = 5  # fewer might be one person
# Counted for every bin besides its rows (Jeffreys' prior), so that no share is 0.
PRIOR_ROWS = 0.5
_TEXT_MEASURES: tuple[Measure, ...] = ("characters", "words", "capitals", "digits")


def write_baseline(
    signature: Signature, sample: Sample, predictions: Sequence[Any], folder: Path
) -> None:
    """Write the baseline into a version's folder; nothing where there is none to be had."""
    made = baseline(signature, sample, predictions)
    if made is not None:
        (folder / BASELINE).write_bytes(msgspec.json.encode(made) + b"\n")


def baseline(signature: Signature, sample: Sample, predictions: Sequence[Any]) -> Baseline | None:
    """Return the baseline, or None where the sample is too small for two bins.

    `predictions` are the model's for rows of the sample, one each; empty where they can't be binned.
    """
    every = -(-len(sample) // MOST_ROWS)
    rows, predictions = _rows(signature, sample[::every]), predictions[::every]
    if len(rows) < 2 * ROWS_A_BIN:
        return None
    features = [*_inputs(signature, rows), *_prediction(signature, predictions)]
    named = {each.name: each for each in reversed(features)}  # a column may have any name, once
    kept = [each for each in features if named[each.name] is each]
    counts = Binner(kept).count(rows, predictions)
    ends = np.cumsum([each.size for each in kept])[:-1]
    filled = zip(kept, np.split(counts, ends), strict=True)
    return Baseline(len(rows), tuple(_with_shares(each, part) for each, part in filled))


def _rows(signature: Signature, sample: Sample) -> Rows:
    """Return the sample as a replica gets rows; a gap of a table is None."""
    if signature.kind == "table":
        assert isinstance(sample, pd.DataFrame)
        columns = [sample[name] for name in signature.columns]
        filled = [column.astype(object).where(column.notna(), None).tolist() for column in columns]
        return TableRows(signature, list(zip(*filled, strict=True)))
    if signature.kind == "text":
        return TextRows([str(text) for text in sample])
    return TensorRows(np.asarray(sample, dtype=np.float64))


def _inputs(signature: Signature, rows: Rows) -> list[Feature]:
    if isinstance(rows, TextRows):
        return [_text(measure, "", 0, rows.values, gaps=False) for measure in _TEXT_MEASURES]
    width = signature.width
    columns = range(width)
    if width > MOST_FEATURES:
        columns = [place * width // MOST_FEATURES for place in range(MOST_FEATURES)]  # type: ignore[assignment]
    if isinstance(rows, TensorRows):
        gaps = signature.inputs[0].nullable
        return [_numbers(f"x[{at}]", at, "number", rows.values[:, at], gaps) for at in columns]
    assert isinstance(rows, TableRows)
    found = []
    for at in columns:
        column, values = signature.inputs[at], [row[at] for row in rows.values]
        if column.dtype in ("float64", "int64"):
            numbers = np.array(values, dtype=np.float64)
            found.append(_numbers(column.name, at, "number", numbers, column.nullable))
            continue
        classes = (False, True) if column.dtype == "bool" else ()
        category = _category(column.name, at, values, classes, column.nullable)
        if column.dtype == "bool" or _covers_half(category, values):
            found.append(category)
        else:  # free text, or something that names a row
            prefix = f"{column.name} "
            for measure in _TEXT_MEASURES[:2]:
                found.append(_text(measure, prefix, at, values, column.nullable))  # noqa: PERF401  # reads better
    return found


def _prediction(signature: Signature, predictions: Sequence[Any]) -> list[Feature]:
    if not predictions:
        return []
    if signature.classes or isinstance(predictions[0], str | bool):
        return [_category(PREDICTION, PREDICTED, predictions, signature.classes, gaps=False)]
    numbers = np.array(predictions, dtype=np.float64)
    gaps = bool(np.isnan(numbers).any())
    return [_numbers(PREDICTION, PREDICTED, "number", numbers, gaps)]


def _text(measure: Measure, prefix: str, column: int, values: Sequence[Any], gaps: bool) -> Feature:
    numbers = [np.nan if value is None else MEASURES[measure](value) for value in values]
    return _numbers(f"{prefix}({measure})", column, measure, np.array(numbers), gaps)


def _numbers(
    name: str, column: int, measure: Measure, values: NDArray[np.float64], gaps: bool
) -> Feature:
    edges = bin_edges(values, min(MOST_BINS, len(values) // ROWS_A_BIN))
    return Feature(name=name, column=column, measure=measure, edges=edges, gaps=gaps)


def _category(
    name: str, column: int, values: Sequence[Any], classes: Sequence[Any], gaps: bool
) -> Feature:
    """Return a category with the most frequent values, or of `classes`, however few rows they have."""
    most = min(MOST_CATEGORIES if not classes else len(classes), len(values) // ROWS_A_BIN)
    counts = Counter(value for value in values if value is not None)
    if classes:
        known = sorted(classes, key=lambda each: -counts[each])
    else:
        # By name where they are equally frequent, so that the same sample gives the same file.
        frequent = [each for each, rows in counts.items() if rows >= LEAST_CATEGORY_ROWS]
        known = sorted(frequent, key=lambda each: (-counts[each], str(each)))
    other = not classes or len(classes) > most
    kept = known[: most - 1] if other else known
    return Feature(
        name=name,
        column=column,
        measure="category",
        categories=tuple(sorted(kept)),
        other=other,
        gaps=gaps,
    )


def _covers_half(category: Feature, values: Sequence[Any]) -> bool:
    given = [value for value in values if value is not None]
    return 2 * sum(value in category.categories for value in given) >= len(given)


def _with_shares(feature: Feature, counts: NDArray[np.int64]) -> Feature:
    shares = (counts + PRIOR_ROWS) / (counts.sum() + PRIOR_ROWS * len(counts))
    return msgspec.structs.replace(feature, shares=tuple(shares.tolist()))
