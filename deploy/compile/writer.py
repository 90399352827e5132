"""Writes ONNX nodes for one estimator into the container that skl2onnx hands to a converter."""

from typing import Any

import numpy as np
from onnx import TensorProto


class Writer:
    """Writes the nodes of one operator into skl2onnx's container."""

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope, self._container = scope, container
        self._outputs = [each.full_name for each in operator.outputs]
        self.estimator = operator.raw_operator
        self.given = operator.inputs[0].full_name

    def node(self, kind: str, inputs: list[str], place: int | None = None, **attributes: Any) -> str:
        """Add a node with one output: a new one, or the operator's own at `place`."""
        output = self._scope.get_unique_variable_name("t") if place is None else self._outputs[place]
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, inputs, output, name=name, **attributes)
        return str(output)

    def cast(self, given: str, kind: int, place: int | None = None) -> str:
        """Add a cast."""
        return self.node("Cast", [given], place, op_version=13, to=kind)

    def constant(self, values: Any, kind: int = TensorProto.DOUBLE) -> str:
        """Add an array of one axis, or a single number, as an initializer."""
        array = np.asarray(values)
        name = self._scope.get_unique_variable_name("c")
        content = [each.encode() if kind == TensorProto.STRING else each for each in array.ravel()]
        self._container.add_initializer(name, kind, list(array.shape), content)
        return str(name)

    def rows(self, rounded: bool) -> str:
        """Return the input as doubles, `rounded` to float32 as scikit-learn's own trees see it."""
        given = self.cast(self.given, TensorProto.FLOAT) if rounded else self.given
        return self.cast(given, TensorProto.DOUBLE)

    def labels(self) -> list[str] | list[int]:
        """Return the classes."""
        classes = self.estimator.classes_.tolist()
        if all(isinstance(each, str) for each in classes):
            return [str(each) for each in classes]
        if not all(isinstance(each, int) for each in classes):  # bool is one
            raise NotImplementedError("classes that are neither whole numbers nor strings")
        return [int(each) for each in classes]
