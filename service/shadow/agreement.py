"""Whether two versions agree on a row: two answers come in, yes or no goes out."""

from math import isclose, isnan
from typing import Any


def agree(one: Any, other: Any, tolerance: float) -> bool:
    """Tell whether two answers for a row are the same: a label, a number, or a list of them.

    Numbers of which one is a float agree within `tolerance` relative to the larger one; missing ones
    (NaN, None) with each other alone. Labels and whole numbers agree where they are equal.
    """
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(agree(a, b, tolerance) for a, b in pairs)
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if not (isinstance(one, float) or isinstance(other, float)):
        return False
    numbers = isinstance(one, float | int) and isinstance(other, float | int)
    return numbers and isclose(one, other, rel_tol=tolerance)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))
