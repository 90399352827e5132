"""A version in memory: a folder of the registry comes in, something that can answer goes out.

Nothing is opened before its digest is right, and nothing serves before it has answered its sample.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from service.cache_key import RowKeys
from service.cost import CallCost, Cost, expected_cost
from service.counting.counts import Counts
from service.engine import Engine, load_engine
from service.gate import CacheGate
from service.manifest import BrokenVersion, Manifest, verify
from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature

if TYPE_CHECKING:
    from service.observer import Observer
    from service.shadow.shadow import Shadow

SAMPLE = "sample.npz"
WARM_UP_ROWS = 8


@dataclass(eq=False)
class LoadedVersion:
    """A loaded version, and what the stations of a request keep for it."""

    manifest: Manifest
    engine: Engine
    cost: Cost = field(default_factory=Cost)
    counts: Counts = field(default_factory=Counts)
    gate: CacheGate = field(default_factory=CacheGate)
    call_cost: CallCost = field(default_factory=CallCost)
    codecs: dict[str, Any] = field(default_factory=dict)
    shadow: "Shadow | None" = None  # runs on the same rows, once they have been answered
    observers: "tuple[Observer, ...]" = ()  # look on, likewise

    def __post_init__(self) -> None:
        self.name = self.manifest.name
        self.number = str(self.manifest.version)
        self.signature = self.manifest.signature
        self.keys = RowKeys(self.manifest)


def load_version(folder: Path) -> LoadedVersion:
    """Verify, open and warm up the version in `folder`; raise `BrokenVersion` if one of them fails."""
    return open_version(folder, verify(folder))


def open_version(folder: Path, manifest: Manifest) -> LoadedVersion:
    """Open and warm up a version whose files are known to be right; raise `BrokenVersion`."""
    loaded = LoadedVersion(manifest, load_engine(folder, manifest))
    try:
        rows = read_sample(folder / SAMPLE, manifest.signature, WARM_UP_ROWS)
        for output in manifest.signature.outputs:
            loaded.engine.run(rows, (output.name,))
        loaded.cost = expected_cost(manifest, rows)
    except Exception as error:  # whatever a user's model raises
        raise BrokenVersion(f"warm-up failed: {type(error).__name__}: {error}") from error
    return loaded


def read_sample(path: Path, signature: Signature, most: int | None = None) -> Rows:
    """Return the rows of a version's sample, at most `most` of them."""
    # Opened here, because numpy leaves a damaged archive open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        columns = [arrays[name][:most] for name in signature.columns]
    if signature.kind == "tensor":
        return TensorRows(columns[0])
    if signature.kind == "text":
        return TextRows(columns[0].tolist())
    return TableRows(signature, list(zip(*(column.tolist() for column in columns), strict=True)))
