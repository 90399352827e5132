"""Rows of a request, checked and ready for the model: made by the protocols, used by the core.

Each kind of signature has one class here. All can be counted, picked from, joined with others into a
batch, and written as canonical bytes for the cache: equal bytes if and only if equal input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from service.signature import Signature, Tensor


class Rows(Protocol):
    """What the core needs to know of rows."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def take(self, positions: Sequence[int]) -> Rows:
        """Return the rows at `positions`, in that order."""

    def join(self, others: Sequence[Any]) -> Rows:
        """Return these rows followed by those of `others`, which are of the same class."""

    def canonical(self) -> list[bytes]:
        """Return for each row bytes that only an equal row has."""

    def model_input(self) -> Any:
        """Return what scikit-learn takes: an array, a data frame or a list of strings."""


class TensorRows(Struct, frozen=True):
    """Numbers, shape (rows, width), float64, C order."""

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: Sequence[int]) -> TensorRows:
        """Return the rows at `positions`."""
        return TensorRows(self.values[positions])

    def join(self, others: Sequence[TensorRows]) -> TensorRows:
        """Return these rows followed by those of `others`."""
        return TensorRows(np.concatenate([self.values, *(each.values for each in others)]))

    def canonical(self) -> list[bytes]:
        """Return the bytes of each row; the dtype and width are the signature's."""
        return [row.tobytes() for row in self.values]

    def model_input(self) -> NDArray[np.float64]:
        """Return the array."""
        return self.values


class TextRows(Struct, frozen=True):
    """Strings, one a row."""

    values: list[str]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: Sequence[int]) -> TextRows:
        """Return the rows at `positions`."""
        return TextRows([self.values[i] for i in positions])

    def join(self, others: Sequence[TextRows]) -> TextRows:
        """Return these rows followed by those of `others`."""
        return TextRows([*self.values, *(value for each in others for value in each.values)])

    def canonical(self) -> list[bytes]:
        """Return each string in UTF-8."""
        return [value.encode() for value in self.values]

    def model_input(self) -> list[str]:
        """Return the strings."""
        return self.values


class TableRows(Struct, frozen=True):
    """Values by column, each row a tuple in the signature's order of columns."""

    signature: Signature
    values: list[tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: Sequence[int]) -> TableRows:
        """Return the rows at `positions`."""
        return TableRows(self.signature, [self.values[i] for i in positions])

    def join(self, others: Sequence[TableRows]) -> TableRows:
        """Return these rows followed by those of `others`."""
        joined = [*self.values, *(row for each in others for row in each.values)]
        return TableRows(self.signature, joined)

    def canonical(self) -> list[bytes]:
        """Return each row in MessagePack, which keeps types apart and marks where a value ends."""
        return [msgspec.msgpack.encode(row) for row in self.values]

    def model_input(self) -> Any:
        """Return a pandas DataFrame with the columns' names and dtypes."""
        import pandas as pd  # slow to import and only tables need it

        columns = zip(*self.values, strict=True)
        return pd.DataFrame(
            {
                column.name: pd.Series(cells, dtype=_pandas_dtype(column))
                for column, cells in zip(self.signature.inputs, columns, strict=True)
            }
        )


def _pandas_dtype(column: Tensor) -> Any:
    if column.dtype == "string":
        return "str"  # a missing string becomes NaN, as when pandas reads a CSV file
    return "object" if column.dtype == "bool" and column.nullable else column.dtype
