"""Trees as scikit-learn walks them: skl2onnx's converters for trees, in versions that answer alike.

Registered by `deploy.compile.convert`. skl2onnx stores thresholds as float32 and compares a double row
with them, so that rows beside a threshold take the other branch. Here the thresholds stay double, and
a row is rounded to float32 first where scikit-learn does that.
"""

from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn import ensemble, tree

from deploy.compile.tree_nodes import Nodes, add_histogram_tree, add_tree
from deploy.compile.writer import Writer

_DOMAIN: dict[str, Any] = {"op_domain": "ai.onnx.ml", "op_version": 3}
_LABELLED = {"zipmap": [True, False], "raw_scores": [True, False], "nocl": [True, False]}


def _forest_classifier(scope: Any, operator: Any, container: Any) -> None:
    writer = Writer(scope, operator, container)
    members = getattr(writer.estimator, "estimators_", [writer.estimator])
    nodes = Nodes("class")
    for member in members:
        add_tree(nodes, member)
    labels = writer.labels()
    key = "classlabels_strings" if isinstance(labels[0], str) else "classlabels_int64s"
    # The node adds up in double and takes the label from that sum, as scikit-learn does; only the
    # sums that it hands out are float32. A class that never wins makes a third of two: with two,
    # ONNX Runtime compares with one half instead.
    named = {key: [*labels, labels[0]] if len(labels) == 2 else labels}
    sums = scope.get_unique_variable_name("sums")
    container.add_node(
        "TreeEnsembleClassifier",
        [writer.rows(rounded=True)],
        [operator.outputs[0].full_name, sums],
        name=scope.get_unique_operator_name("trees"),
        **_DOMAIN,
        **nodes.attributes(),
        **named,
    )
    wide = writer.cast(sums, TensorProto.DOUBLE)
    known = writer.constant(range(len(writer.estimator.classes_)), TensorProto.INT64)
    wide = writer.node("Gather", [wide, known], axis=1, op_version=13)
    mean = writer.node("Div", [wide, writer.constant(float(len(members)))], op_version=14)
    writer.node("Identity", [mean], place=1, op_version=14)


def _forest_regressor(scope: Any, operator: Any, container: Any) -> None:
    writer = Writer(scope, operator, container)
    members = getattr(writer.estimator, "estimators_", [writer.estimator])
    nodes = Nodes("target")
    for member in members:
        add_tree(nodes, member)
    sums = _sums(writer, nodes, 1, rounded=True)
    mean = writer.node("Div", [sums, writer.constant(float(len(members)))], op_version=14)
    writer.node("Identity", [mean], place=0, op_version=14)


def _boosted_regressor(scope: Any, operator: Any, container: Any) -> None:
    writer = Writer(scope, operator, container)
    raw = _raw_scores(writer)
    if getattr(writer.estimator, "loss", "squared_error") in ("poisson", "gamma"):
        raw = writer.node("Exp", [raw], op_version=13)
    writer.node("Identity", [raw], place=0, op_version=14)


def _boosted_classifier(scope: Any, operator: Any, container: Any) -> None:
    writer = Writer(scope, operator, container)
    if writer.estimator.loss != "log_loss":
        raise NotImplementedError(f"the loss {writer.estimator.loss}")
    raw = _raw_scores(writer)
    if len(writer.estimator.classes_) == 2:
        one = writer.node("Sigmoid", [raw], op_version=13)
        zero = writer.node("Sub", [writer.constant(1.0), one], op_version=14)
        chances = writer.node("Concat", [zero, one], op_version=13, axis=1)
        at_least = writer.node("GreaterOrEqual", [raw, writer.constant(0.0)], op_version=16)
        best = writer.cast(at_least, TensorProto.INT64)
    else:
        chances = writer.node("Softmax", [raw], op_version=13, axis=1)
        best = writer.node("ArgMax", [raw], op_version=13, axis=1)
    scores = container.get_options(writer.estimator, {"raw_scores": False})["raw_scores"]
    writer.node("Identity", [raw if scores else chances], place=1, op_version=14)
    flat = writer.node("Reshape", [best, writer.constant([-1], TensorProto.INT64)], op_version=14)
    labels = writer.labels()
    kind = TensorProto.STRING if isinstance(labels[0], str) else TensorProto.INT64
    writer.node("Gather", [writer.constant(labels, kind), flat], place=0, op_version=13)


def _raw_scores(writer: Writer) -> str:
    """Add the sum of boosted trees over what the boosting began with, in double."""
    boosted = writer.estimator
    nodes = Nodes("target")
    histogram = hasattr(boosted, "_predictors")
    rounds = boosted._predictors if histogram else boosted.estimators_
    for each in rounds:
        for target, member in enumerate(each):
            if histogram:
                add_histogram_tree(nodes, member, target)
            else:
                add_tree(nodes, member, boosted.learning_rate, target)
    if histogram:
        begin = np.ravel(boosted._baseline_prediction)
    else:
        one = np.zeros((1, boosted.n_features_in_), dtype=np.float32)
        if type(boosted.init_).__name__ not in ("DummyClassifier", "DummyRegressor", "str"):
            raise NotImplementedError("boosting that begins with another estimator")
        begin = np.ravel(boosted._raw_predict_init(one))
    sums = _sums(writer, nodes, len(rounds[0]), rounded=not histogram)
    return writer.node("Add", [sums, writer.constant(begin.tolist())], op_version=14)


def _sums(writer: Writer, nodes: Nodes, n_targets: int, rounded: bool) -> str:
    """Add the node that sums trees; it adds up in double and hands out float32."""
    given = [writer.rows(rounded)]
    narrow = writer.node(
        "TreeEnsembleRegressor", given, n_targets=n_targets, **_DOMAIN, **nodes.attributes()
    )
    return writer.cast(narrow, TensorProto.DOUBLE)


def _classifier_outputs(operator: Any) -> None:
    calculate_linear_classifier_output_shapes(operator)
    operator.outputs[1].type = DoubleTensorType(operator.outputs[1].type.shape)


def _regressor_outputs(operator: Any) -> None:
    calculate_linear_regressor_output_shapes(operator)
    operator.outputs[0].type = DoubleTensorType(operator.outputs[0].type.shape)


def register() -> None:
    """Put these converters in the place of skl2onnx's own."""
    classifiers = {
        _forest_classifier: (
            tree.DecisionTreeClassifier,
            tree.ExtraTreeClassifier,
            ensemble.RandomForestClassifier,
            ensemble.ExtraTreesClassifier,
        ),
        _boosted_classifier: (
            ensemble.GradientBoostingClassifier,
            ensemble.HistGradientBoostingClassifier,
        ),
    }
    regressors = {
        _forest_regressor: (
            tree.DecisionTreeRegressor,
            tree.ExtraTreeRegressor,
            ensemble.RandomForestRegressor,
            ensemble.ExtraTreesRegressor,
        ),
        _boosted_regressor: (
            ensemble.GradientBoostingRegressor,
            ensemble.HistGradientBoostingRegressor,
        ),
    }
    for table, shapes, options in (
        (classifiers, _classifier_outputs, _LABELLED),
        (regressors, _regressor_outputs, {}),
    ):
        for convert, kinds in table.items():
            for kind in kinds:
                update_registered_converter(
                    kind, f"Flotilla{kind.__name__}", shapes, convert, options=options
                )
