"""What training a sample hands over: the fitted estimator and all that publishing it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# skops doesn't vouch for this type, the nodes of a decision tree in a C structure, so a model
# made of trees has to name it in `trusted`.
TREE_TYPE = "sklearn.tree._tree.Tree"


@dataclass(frozen=True)
class TrainedModel:
    """Hold a fitted estimator, how good it is, and rows that show what it takes.

    `sample` holds at least 200 rows of the hold-out set, in the order in which they were split off:
    a float64 matrix (rows, features), a frame whose columns are the features, or a list of texts.
    `metrics` were measured on that hold-out set. `trusted` lists the fully qualified names of the
    types that skops refuses to load unless it is told to trust them.
    """

    name: str
    description: str
    estimator: Any
    sample: NDArray[np.float64] | pd.DataFrame | list[str]
    metrics: Mapping[str, float]
    trusted: tuple[str, ...] = ()
