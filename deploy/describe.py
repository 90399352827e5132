"""Describing a model: a fitted estimator and a sample come in, its signature goes out.

Every output is asked for once, on the sample, so that names, dtypes and shapes are what the model
really gives.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deploy.errors import Refused
from deploy.sample import Sample
from service.engine import dense
from service.signature import OUTPUT_NAMES, DType, Signature, Tensor

_DTYPES: dict[str, DType] = {"f": "float64", "i": "int64", "u": "int64", "b": "bool", "U": "string"}


def describe(estimator: Any, sample: Sample) -> tuple[Signature, Sample]:
    """Return the signature, and the sample in the order of the model's columns.

    Raises `Refused` where the sample doesn't fit the estimator or nothing can be asked of it.
    """
    sample = _arrange(estimator, sample)
    if isinstance(sample, pd.DataFrame):
        kind, inputs = "table", tuple(_column(sample[name]) for name in sample.columns)
    elif isinstance(sample, list):
        kind, inputs = "text", (Tensor("text", "string"),)
    else:
        nullable = bool(np.isnan(sample).any())
        kind, inputs = "tensor", (Tensor("x", "float64", (-1, sample.shape[1]), nullable),)
    signature = Signature(
        kind=kind,  # type: ignore[arg-type]  # one of the three literals above
        inputs=inputs,
        outputs=_outputs(estimator, sample),
        classes=_classes(estimator),
    )
    return signature, sample


def _arrange(estimator: Any, sample: Sample) -> Sample:
    """Bring the sample into the form in which the estimator was fitted."""
    names = getattr(estimator, "feature_names_in_", None)
    if isinstance(sample, pd.DataFrame):
        if names is not None:
            missing = [str(name) for name in names if name not in sample.columns]
            if missing:
                raise Refused(f"the sample lacks columns of the model: {', '.join(missing)}")
            return sample[list(names)]
        if all(pd.api.types.is_numeric_dtype(dtype) for dtype in sample.dtypes):
            sample = sample.to_numpy(dtype=np.float64)
    if isinstance(sample, np.ndarray):
        matrix = _matrix(estimator, sample)
        return matrix if names is None else pd.DataFrame(matrix, columns=list(names))
    return sample


def _matrix(estimator: Any, sample: NDArray[Any]) -> NDArray[np.float64]:
    if sample.ndim != 2:
        raise Refused(f"the sample has the shape {sample.shape}; expected (rows, features)")
    width = sample.shape[1]
    expected = getattr(estimator, "n_features_in_", width)
    if width != expected:
        raise Refused(
            f"the sample has {width} columns, the model takes {expected}; is the target among them?"
        )
    try:
        return sample.astype(np.float64)
    except ValueError as error:
        raise Refused(f"the sample holds something that isn't a number: {error}") from error


def _column(series: "pd.Series[Any]") -> Tensor:
    """Return the input for one column of a table; whole numbers count as numbers."""
    nullable = bool(series.isna().any())
    if pd.api.types.is_bool_dtype(series.dtype):
        dtype: DType = "bool"
    elif pd.api.types.is_numeric_dtype(series.dtype):
        dtype = "float64"
    elif all(isinstance(value, str) for value in series.dropna()):
        dtype = "string"
    else:
        raise Refused(f"column {series.name!r}: expected numbers, strings or true and false")
    return Tensor(str(series.name), dtype, (-1,), nullable)


def _outputs(estimator: Any, sample: Sample) -> tuple[Tensor, ...]:
    outputs = []
    for name in OUTPUT_NAMES:
        method = getattr(estimator, name, None)
        if method is None:
            continue
        try:
            given = method(sample)
            # Several targets give a list of arrays, whose first axis isn't the rows: not served.
            if isinstance(given, list):
                continue
            values = dense(given)
        except Exception as error:  # whatever a user's model raises
            raise Refused(f"{name} fails on the sample: {type(error).__name__}: {error}") from error
        if values.ndim and len(values) == len(sample):
            outputs.append(Tensor(name, _dtype(name, values), (-1, *values.shape[1:])))
    if not outputs:
        raise Refused(f"{type(estimator).__name__} has none of {', '.join(OUTPUT_NAMES)}")
    return tuple(outputs)


def _dtype(name: str, values: Any) -> DType:
    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values.ravel()):
        return "string"
    if values.dtype.kind not in _DTYPES:
        raise Refused(f"{name} gives values of dtype {values.dtype}; they can't be sent as JSON")
    return _DTYPES[values.dtype.kind]


def _classes(estimator: Any) -> tuple[Any, ...]:
    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:  # several targets give a list
        return ()
    known = classes.dtype.kind in _DTYPES or all(isinstance(each, str) for each in classes)
    return tuple(classes.tolist()) if known else ()
