"""A file's rows as a replica would read them: a sample comes in, rows that fit a version go out.

They are written as a V1 request and read by the service's own decoder, so that what is refused, and
what a gap becomes, is the same as for a client. Called by `deploy.compare`.
"""

from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deploy.errors import Refused
from deploy.sample import Sample
from service.errors import BadInput
from service.protocols.v1 import V1
from service.rows import Rows
from service.signature import Signature
from service.version import LoadedVersion


def request_rows(version: LoadedVersion, sample: Sample) -> Rows:
    """Return all rows of the sample; raise `Refused` naming what came and what the version expects.

    A table's further columns are left out, as publishing does with the target.
    """
    try:
        body = msgspec.json.encode({"instances": _instances(version.signature, sample)})
        return V1(version, max_rows=len(sample)).decode(body).rows
    except (BadInput, Refused, TypeError) as error:  # TypeError: a dtype that JSON has no word for
        name = f"{version.name} version {version.number}"
        raise Refused(f"the data doesn't fit {name}: {error}") from error


def _instances(signature: Signature, sample: Sample) -> list[Any]:
    """Return the rows as JSON values; their types are the decoder's to check."""
    if isinstance(sample, pd.DataFrame):
        return _of_frame(signature, sample)
    if isinstance(sample, np.ndarray) and sample.dtype.kind in "biuf":
        sample = _finite(sample.astype(np.float64))
    values: list[Any] = sample.tolist() if isinstance(sample, np.ndarray) else sample
    # An NPZ file with one array is a table of one column, if the model takes such.
    lone = signature.kind == "table" and signature.width == 1
    return [value if isinstance(value, list) else [value] for value in values] if lone else values


def _of_frame(signature: Signature, frame: pd.DataFrame) -> list[Any]:
    came = ", ".join(map(str, frame.columns))
    if signature.kind == "tensor":
        if frame.shape[1] != signature.width:
            raise Refused(
                f"it has {frame.shape[1]} columns ({came}), expected {signature.describe_row()}; "
                "is the target among them?"
            )
        try:
            matrix = _finite(frame.to_numpy(dtype=np.float64))
        except ValueError as error:
            raise Refused(f"expected {signature.describe_row()}: {error}") from error
        rows: list[Any] = matrix.tolist()
        return rows
    missing = [repr(name) for name in signature.columns if name not in frame.columns]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise Refused(f"it lacks the {noun} {', '.join(missing)}; its columns are: {came}")
    frame = frame[list(signature.columns)]
    _finite(frame.select_dtypes("number").to_numpy(dtype=np.float64))
    # None, because pandas has several values for a gap, and JSON only null.
    cells = frame.astype(object).where(frame.notna(), None)
    columns = [cells[name].tolist() for name in signature.columns]
    if signature.kind == "text":
        return list(columns[0])
    return [dict(zip(signature.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _finite(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the numbers; an infinity would be written as null and pass for a gap."""
    rows = np.isinf(numbers).reshape(len(numbers), -1).any(axis=1)
    if rows.any():
        raise Refused(f"row {rows.argmax()} holds an infinite number, which can't be sent as JSON")
    return numbers
