"""Decoded JSON becomes rows: types are checked already, what is left is what JSON's types can't say."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.errors import BadInput
from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature


def rows_of(signature: Signature, given: list[Any]) -> Rows:
    """Return `given`, a list of rows of the signature's row type, as rows for the core."""
    if signature.kind == "text":
        return TextRows(given)
    if signature.kind == "tensor":
        # msgspec has refused any number that a double can't hold, and null where there are no gaps.
        return TensorRows(np.array(given, dtype=np.float64))
    astuple = msgspec.structs.astuple
    return TableRows(signature, [row if type(row) is tuple else astuple(row) for row in given])


def tensor_rows(signature: Signature, values: NDArray[np.float64], path: str) -> TensorRows:
    """Return an array of shape (rows, width) as rows; raise `BadInput` for NaN or infinity."""
    refuse_infinite(values, signature.inputs[0].nullable, path)
    return TensorRows(values)


def refuse_infinite(values: NDArray[np.float64], nullable: bool, path: str) -> None:
    """Raise `BadInput` naming the first infinity, or NaN unless it stands for a gap.

    A JSON number can't be either, but null becomes NaN and a binary number can be anything.
    """
    allowed = np.isfinite(values)
    if np.count_nonzero(allowed) == allowed.size:  # a third of the time of `allowed.all()`
        return
    if nullable:
        allowed |= np.isnan(values)
    if not allowed.all():
        place = np.argwhere(~allowed)[0]
        steps = "".join(f"[{step}]" for step in place)
        raise BadInput(f"{path}{steps}: expected a finite number, got {values[tuple(place)]}")
