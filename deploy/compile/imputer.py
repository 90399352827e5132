"""Fills gaps in numbers: a converter for SimpleImputer, registered by `deploy.compile.convert`.

skl2onnx's own uses an operator that ONNX Runtime has for float32 alone.
"""

from typing import Any

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.impute import SimpleImputer

from deploy.compile.writer import Writer


def _outputs(operator: Any) -> None:
    given = operator.inputs[0].type
    kind = StringTensorType if isinstance(given, StringTensorType) else DoubleTensorType
    operator.outputs[0].type = kind(list(given.shape))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    writer = Writer(scope, operator, container)
    fitted = writer.estimator
    whole = fitted.missing_values is np.nan and not fitted.add_indicator
    if not whole or len(operator.inputs) != 1:
        raise NotImplementedError("an imputer for other gaps than NaN, or with an indicator")
    if isinstance(operator.inputs[0].type, StringTensorType):
        writer.node("Identity", [writer.given], place=0, op_version=14)  # a string is never missing
        return
    filling = fitted.statistics_.astype(np.float64)
    if np.isnan(filling).any():
        raise NotImplementedError("an imputer that drops empty columns")
    rows = writer.rows(rounded=False)
    gaps = writer.node("IsNaN", [rows], op_version=13)
    writer.node("Where", [gaps, writer.constant(filling.tolist()), rows], place=0, op_version=9)


def register() -> None:
    """Put this converter in the place of skl2onnx's own."""
    update_registered_converter(SimpleImputer, "FlotillaSimpleImputer", _outputs, _convert)
