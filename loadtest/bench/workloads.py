"""What the bench sends: digits, as rows that never come twice, as favourites, or 64 at once.

Out: the bodies for `wrk.py`, `arrivals.py` and `check.py`, with a mark that a number replaces where
no two may be equal.
"""

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

# As wide as "0.1234567": what `lua/unique.lua` writes over it. Seven digits stay different in
# float32 as well, so a server that narrows its input still sees no row twice.
MARK = "@" * 9
UNMARKED = "0.0000000"
TEMPLATE_ROWS = 1792
BATCH_ROWS = 64

# The more popular a row, the more often it is asked for: Zipf's law, as in most traffic.
FAVOURITES = 1000
ZIPF_EXPONENT = 1.1
DRAWS = 2**16

Shape = Literal["unique", "repeats", "batch"]
SHAPES: dict[Shape, str] = {
    "unique": "unique rows",
    "repeats": "repeats",
    "batch": f"batches of {BATCH_ROWS}",
}
# The model as routed, and how it is called: the last is the forest again, not compiled.
MODELS = {
    "digits": "digits",
    "digits-forest": "digits-forest",
    "forest-sklearn": "digits-forest, scikit-learn",
}


@dataclass(frozen=True)
class Workload:
    """Requests of one shape for one model."""

    model: str
    shape: Shape

    @property
    def title(self) -> str:
        """Name the workload for people."""
        return f"{MODELS[self.model]}: {SHAPES[self.shape]}"

    @property
    def original(self) -> str:
        """Return the model that the hand-written server has for this."""
        return MODELS[self.model].partition(",")[0]

    @property
    def rows_per_request(self) -> int:
        """Return how many rows a body holds."""
        return BATCH_ROWS if self.shape == "batch" else 1

    @property
    def path(self) -> str:
        """Return the path that takes these requests."""
        return f"/v1/models/{self.model}:predict"

    def bodies(self) -> list[str]:
        """Return bodies, all of different rows, with the mark for the first pixel unless repeated.

        That pixel is blank in every image, so no model looks at it. The spacing is the one that
        Python's `json` and with it most clients produce.
        """
        from sklearn.datasets import load_digits  # two seconds that the generators needn't wait for

        pixels = load_digits().data[:TEMPLATE_ROWS].tolist()
        rows = [[MARK, *row[1:]] for row in pixels]
        size = self.rows_per_request
        groups = [rows[start : start + size] for start in range(0, len(rows), size)]
        bodies = [json.dumps({"instances": group}).replace(f'"{MARK}"', MARK) for group in groups]
        if self.shape == "repeats":
            return [body.replace(MARK, UNMARKED) for body in bodies[:FAVOURITES]]
        return bodies


# In turns for one shape, so that what is compared is measured close together.
WORKLOADS = tuple(Workload(model, shape) for shape in SHAPES for model in MODELS)


def zipf_draws() -> list[int]:
    """Return the sequence in which the favourites are asked for: indexes from 0, always the same."""
    weights = 1 / np.arange(1, FAVOURITES + 1) ** ZIPF_EXPONENT
    draws = np.random.default_rng(0).choice(FAVOURITES, DRAWS, p=weights / weights.sum())
    indexes: list[int] = draws.tolist()
    return indexes
