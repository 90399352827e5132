"""A version's first sample rows as JSON values: for pages, and to ask a version what it can answer."""

import math
from pathlib import Path
from typing import Any

from service.rows import TableRows, TensorRows
from service.signature import Signature
from service.version import SAMPLE, read_sample


def example_rows(folder: Path, signature: Signature, most: int) -> list[Any]:
    """Return at most `most` rows of the version in `folder`, each as a client would send it."""
    sample = read_sample(folder / SAMPLE, signature, most)
    if isinstance(sample, TensorRows):
        return [[_plain(value) for value in row] for row in sample.values.tolist()]
    if isinstance(sample, TableRows):
        names = signature.columns
        return [dict(zip(names, map(_plain, row), strict=True)) for row in sample.values]
    return list(sample.model_input())


def _plain(value: Any) -> Any:
    """Return a value as a person would write it in JSON: 5 for 5.0, null for what isn't a number."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
