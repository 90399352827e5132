"""Fitted trees come in, the attributes of an ONNX TreeEnsemble node go out.

Called by `deploy.compile.trees`. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper


class Nodes:
    """Collects the nodes and leaves of trees, as the attributes of one TreeEnsemble node."""

    def __init__(self, leaves: str) -> None:
        self._leaves = leaves  # "class" or "target", the prefix of the leaves' attributes
        self._nodes: dict[str, list[NDArray[Any]]] = {}
        self._weights: dict[str, list[NDArray[Any]]] = {}
        self._trees = 0

    def add(
        self,
        feature: NDArray[Any],
        threshold: NDArray[Any],
        children: tuple[NDArray[Any], NDArray[Any]],
        missing_left: NDArray[Any],
        values: NDArray[Any],
        target: int = 0,
    ) -> None:
        """Add a tree, an entry for each of its nodes; a node without children is a leaf.

        A leaf adds its row of `values` to the scores from `target` on.
        """
        left, right = children
        leaf = left < 0
        ids = np.arange(len(left))
        _append(
            self._nodes,
            treeids=np.full(len(left), self._trees),
            nodeids=ids,
            featureids=np.where(leaf, 0, feature),
            modes=np.where(leaf, "LEAF", "BRANCH_LEQ"),
            values=np.where(leaf, 0.0, threshold),
            truenodeids=np.where(leaf, 0, left),
            falsenodeids=np.where(leaf, 0, right),
            missing_value_tracks_true=np.where(leaf, False, missing_left).astype(np.int64),
        )
        # Every leaf has a weight, also one of zero: ONNX Runtime refuses a leaf without.
        keep = (values != 0) | (np.arange(values.shape[1]) == 0)
        rows, columns = np.nonzero(keep & leaf[:, np.newaxis])
        _append(
            self._weights,
            treeids=np.full(len(rows), self._trees),
            nodeids=ids[rows],
            ids=columns + target,
            weights=values[rows, columns],
        )
        self._trees += 1

    def attributes(self) -> dict[str, Any]:
        """Return the attributes; thresholds and weights as tensors, which keep doubles."""
        parts = [("nodes", self._nodes), (self._leaves, self._weights)]
        joined = {f"{p}_{name}": np.concatenate(a) for p, part in parts for name, a in part.items()}
        attributes: dict[str, Any] = {}
        for name, array in joined.items():
            if array.dtype.kind == "f":
                key = f"{name}_as_tensor"
                attributes[key] = numpy_helper.from_array(array.astype(np.float64), key)
            else:
                attributes[name] = array.tolist()
        return attributes


def _append(into: dict[str, list[NDArray[Any]]], **arrays: NDArray[Any]) -> None:
    for name, array in arrays.items():
        into.setdefault(name, []).append(array)


def add_tree(nodes: Nodes, fitted: Any, scale: float = 1.0, target: int = 0) -> None:
    """Add a fitted tree of scikit-learn's `tree` module."""
    arrays = fitted.tree_
    if arrays.n_outputs != 1:
        raise NotImplementedError("trees with several targets")
    nodes.add(
        arrays.feature,
        arrays.threshold,
        (arrays.children_left, arrays.children_right),
        arrays.missing_go_to_left,
        arrays.value[:, 0, :] * scale,
        target,
    )


def add_histogram_tree(nodes: Nodes, predictor: Any, target: int) -> None:
    """Add a tree of a HistGradientBoosting estimator."""
    records = predictor.nodes
    if records["is_categorical"].any():
        raise NotImplementedError("splits on categories")
    leaf = records["is_leaf"].astype(bool)
    nodes.add(
        records["feature_idx"],
        records["num_threshold"],
        (np.where(leaf, -1, records["left"].astype(np.int64)), records["right"].astype(np.int64)),
        records["missing_go_to_left"],
        records["value"][:, np.newaxis],
        target,
    )
