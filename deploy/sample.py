"""A sample of a model's input: a file comes in, rows in the form that scikit-learn takes go out.

A CSV file is a table; an NPZ file one matrix, or a table with an array for each column; a JSONL file
has one row a line: a string, an object or a list.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deploy.errors import Refused
from service.signature import Signature

Sample = NDArray[Any] | pd.DataFrame | list[str]


def read_sample(path: Path) -> Sample:
    """Read the rows in `path`; raise `Refused` for a file that can't be understood."""
    readers = {".csv": pd.read_csv, ".npz": _read_npz, ".jsonl": _read_jsonl}
    reader = readers.get(path.suffix)
    if reader is None:
        raise Refused(f"{path}: a sample is a {', '.join(readers)} file")
    try:
        sample: Sample = reader(path)  # type: ignore[operator]  # one of three with one signature
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Refused(f"{path}: {error}") from error
    if len(sample) == 0:
        raise Refused(f"{path}: it has no rows; a few hundred typical ones are best")
    return sample


def write_sample(sample: Sample, signature: Signature, path: Path) -> None:
    """Write the sample as NPZ, an array for each input.

    Rows that lack a string or a boolean are left out: only numbers have NaN to stand for a gap.
    """
    if isinstance(sample, pd.DataFrame) and signature.kind == "table":
        gaps = [each.name for each in signature.inputs if each.nullable and each.dtype != "float64"]
        table = sample.dropna(subset=gaps)
        if table.empty:
            raise Refused(f"the sample has no row in which each of {', '.join(gaps)} is filled")
        arrays = {
            each.name: table[each.name].to_numpy(dtype="U" if each.dtype == "string" else each.dtype)
            for each in signature.inputs
        }
    else:
        dtype = "U" if signature.kind == "text" else "float64"
        arrays = {signature.inputs[0].name: np.asarray(sample, dtype=dtype)}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its stub lacks the keywords


def _read_npz(path: Path) -> Sample:
    with np.load(path, allow_pickle=False) as arrays:
        if len(arrays.files) == 1:
            only: NDArray[Any] = arrays[arrays.files[0]]
            return only.tolist() if only.dtype.kind == "U" and only.ndim == 1 else only
        return pd.DataFrame({name: arrays[name] for name in arrays.files})


def _read_jsonl(path: Path) -> Sample:
    rows: list[Any] = [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line]
    kinds = {type(row) for row in rows}
    if len(kinds) > 1:
        raise ValueError("its lines mix strings, objects and lists; expected one kind")
    if kinds == {dict}:
        return pd.DataFrame(rows)
    return rows if kinds == {str} else np.asarray(rows, dtype=np.float64)
