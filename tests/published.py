"""Small models, published for real in milliseconds."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from skops.io import dump

from deploy.publish import next_version, publish
from deploy.routes import activate
from deploy.sample import Sample
from service.manifest import Manifest

# Rows for `line`.
LINE_SAMPLE = np.arange(20.0).reshape(10, 2)


def line(slope: float) -> LinearRegression:
    """Return a model that gives `slope` times the sum of two numbers."""
    return LinearRegression(fit_intercept=False).fit(LINE_SAMPLE, slope * LINE_SAMPLE.sum(axis=1))


def saved(estimator: Any, folder: Path) -> Path:
    """Save an estimator in a folder and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    dump(estimator, folder / "model.skops")
    return folder / "model.skops"


def published(
    registry: Path,
    name: str,
    estimator: Any = None,
    sample: Sample = LINE_SAMPLE,
    *,
    routed: bool = False,
    **more: Any,
) -> Manifest:
    """Publish the next version of a model, by default a line as steep as its number; route it."""
    if estimator is None:
        shelf = registry / name
        estimator = line(float(next_version(shelf)) if shelf.is_dir() else 1.0)
    # Beside the registry, which would take a folder in it for a model.
    file = saved(estimator, registry.parent / f"saved-{name}")
    manifest = publish(registry, file, name, sample, **more)
    if routed:
        activate(registry, name, manifest.version, "test")
    return manifest


def damage(path: Path) -> bytes:
    """Change one byte of a file and return what it held before."""
    before = path.read_bytes()
    path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    return before


def tree(folder: Path) -> dict[str, str]:
    """Return everything in a folder: links with where they point, files with what they hold."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes().hex()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
