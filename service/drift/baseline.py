"""The baseline of a version: how its inputs and predictions were distributed when it was published.

Written by `deploy.baseline` from the sample, as a file of the version like any other. It holds shares
of bins, and of single rows nothing but the names of categories that several of them share.
"""

import hashlib
import logging
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from service.manifest import Manifest

log = logging.getLogger(__name__)

BASELINE = "baseline.json"
PREDICTION = "(prediction)"
PREDICTED = -1  # the "column" of the prediction
Measure = Literal["number", "category", "characters", "words", "capitals", "digits"]
MOST_NAME_CHARACTERS = 80


class Feature(Struct, frozen=True, kw_only=True):
    """What is measured of a row, and the bins that values fall into.

    `column` is the position in a row. A category has a bin for each of `categories` and, if `other`,
    one for the rest; any other measure is a number, with bins that end at each of `edges` (included)
    and a last one without an end. `gaps` adds a bin for missing values. `shares`, one for each bin,
    add up to 1; none is 0.
    """

    name: str
    column: int
    measure: Measure
    edges: tuple[float, ...] = ()
    categories: tuple[bool | int | float | str, ...] = ()
    other: bool = False
    gaps: bool = False
    shares: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """The number of bins."""
        values = len(self.categories) + self.other if self.measure == "category" else self._ranges
        return values + self.gaps

    @property
    def _ranges(self) -> int:
        return len(self.edges) + 1

    def bin_names(self) -> list[str]:
        """Return a name for each bin; those of numbers sort as the numbers do."""
        if self.measure == "category":
            names = [_category_name(each) for each in self.categories] + ["(other)"] * self.other
        else:
            digits = len(str(self._ranges))
            ranges = _range_names(self.edges)
            names = [f"{place:0{digits}}: {name}" for place, name in enumerate(ranges, 1)]
        names += ["(missing)"] * self.gaps
        seen = set[str]()
        for place, name in enumerate(names):
            if name in seen:  # a category of that very name, or one as long
                names[place] = f"{name} #{place}"
            seen.add(names[place])
        return names


class Baseline(Struct, frozen=True):
    """The features of a version, from so many rows of its sample."""

    rows: int
    features: tuple[Feature, ...]


def read_features(folder: Path, manifest: Manifest, most: int) -> tuple[Feature, ...]:
    """Return at most `most` features of a version's baseline, and that of its predictions.

    None where it was published without a baseline, or has one that can't be read: it serves as well.
    """
    if BASELINE not in manifest.files:
        return ()
    try:
        content = (folder / BASELINE).read_bytes()
        if hashlib.sha256(content).hexdigest() != manifest.files[BASELINE]:
            raise ValueError("it isn't what was published")
        return spread(msgspec.json.decode(content, type=Baseline).features, most)
    except (OSError, ValueError) as error:
        log.warning("%s version %s: no drift: %s: %s", manifest.name, manifest.version, BASELINE, error)
        return ()


def spread(features: tuple[Feature, ...], most: int) -> tuple[Feature, ...]:
    """Return at most `most` features of inputs, evenly spaced over the columns, and the prediction.

    Evenly, because neighbours are often alike: pixels, lags of a series, words.
    """
    inputs = [each for each in features if each.column != PREDICTED]
    places = range(len(inputs))
    if len(inputs) > most:
        places = [place * len(inputs) // most for place in range(most)]  # type: ignore[assignment]
    return (*(inputs[p] for p in places), *(each for each in features if each.column == PREDICTED))


def _category_name(category: bool | int | float | str) -> str:
    text = str(category).lower() if isinstance(category, bool) else str(category)
    return text[:MOST_NAME_CHARACTERS]


def _range_names(edges: tuple[float, ...]) -> list[str]:
    words = [f"{edge:.6g}" for edge in edges]
    if not words:
        return ["any"]
    between = [f"{low} to {high}" for low, high in pairwise(words)]
    return [f"up to {words[0]}", *between, f"above {words[-1]}"]
