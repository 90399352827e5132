"""Parity: two engines and a sample come in, a report on how alike they answer goes out.

They are asked for the sample and for rows beside it. Labels have to be equal, numbers
within `TOLERANCE`, and what scikit-learn refuses mustn't be answered.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.compile.neighbours import Matrix, neighbours
from service.engine import Engine
from service.manifest import Parity
from service.rows import Rows
from service.signature import Signature, Tensor

# Absolute below 1, relative above: ONNX's operators for trees and texts hand out float32.
TOLERANCE = 1e-5
MOST_SAMPLE_ROWS = 512


class Unequal(Exception):  # noqa: N818  # named after what it is
    """The first answer that differs."""


def compare(reference: Engine, compiled: Engine, signature: Signature, sample: Rows) -> Parity:
    """Compare two engines; the report's `problem` says where they differ first."""
    step = max(1, len(sample) // MOST_SAMPLE_ROWS)
    sample = sample.take(range(0, len(sample), step))
    rows, largest = 0, 0.0
    problem = ""
    # What a model warns of on odd rows, such as a category that it doesn't know, is no news here.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        groups = [("the sample", sample), *neighbours(sample, signature, _score(reference, signature))]
        for name, group in groups:
            try:
                largest = max(largest, _differ(reference, compiled, signature, group))
            except Unequal as difference:
                problem = f"{difference} ({name})"
                break
            rows += len(group)
    return Parity(rows=rows, largest_difference=largest, tolerance=TOLERANCE, problem=problem)


def _differ(reference: Engine, compiled: Engine, signature: Signature, rows: Rows) -> float:
    """Return the largest difference of two engines' answers; raise `Unequal` if it is too large."""
    names = [each.name for each in signature.outputs]
    try:
        expected = reference.run(rows, names)
    except Exception as error:  # whatever a user's model raises
        if len(rows) > 1:  # one row may spoil it for the others
            halves = range(len(rows) // 2), range(len(rows) // 2, len(rows))
            return max(_differ(reference, compiled, signature, rows.take(half)) for half in halves)
        if _answers(compiled, rows, names):
            raise Unequal(f"scikit-learn refuses what it answers: {_line(error)}") from error
        return 0.0
    try:
        given = compiled.run(rows, names)
    except Exception as error:
        raise Unequal(f"it fails: {_line(error)}") from error
    outputs = signature.outputs
    return max(_differ_in(each, expected[each.name], given[each.name]) for each in outputs)


def _differ_in(output: Tensor, expected: NDArray[Any], given: NDArray[Any]) -> float:
    if expected.shape != given.shape:
        raise Unequal(f"{output.name} has the shape {given.shape}, not {expected.shape}")
    if output.dtype != "float64":
        wrong, difference = expected != given, np.zeros(1)
    else:
        same = (expected == given) | (np.isnan(expected) & np.isnan(given))
        scale = np.maximum(1.0, np.abs(expected))
        difference = np.where(same, 0.0, np.abs(expected - given) / scale)
        wrong = ~(difference <= TOLERANCE)
    if wrong.any():
        first = tuple(np.argwhere(wrong)[0])
        rows = int(wrong.reshape(len(wrong), -1).any(axis=1).sum())
        raise Unequal(
            f"{output.name} differs in {rows} of {len(wrong)} rows, "
            f"first {given[first]} instead of {expected[first]}"
        )
    return float(difference.max())


def _answers(engine: Engine, rows: Rows, names: list[str]) -> bool:
    try:
        engine.run(rows, names)
    except Exception:  # a refusal of any kind
        return False
    return True


def _score(reference: Engine, signature: Signature) -> Callable[[Rows], Matrix] | None:
    """Return a function for the numbers that the model answers, None where it gives only labels."""
    name = next((each.name for each in reversed(signature.outputs) if each.dtype == "float64"), None)
    if name is None:
        return None
    return lambda rows: reference.run(rows, (name,))[name].reshape(len(rows), -1)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
