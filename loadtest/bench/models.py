"""What the bench's stack serves: two samples, and the forest again without compiling it.

In: a scratch folder. Out: a registry in it, and one with a single compiled model. Published by the
commands that users have. `__main__.py` calls it.
"""

import sys
from pathlib import Path
from typing import Any

import skops.io

from loadtest.bench.processes import run_to_end
from loadtest.bench.servers import defaults
from loadtest.bench.workloads import MODELS

SAMPLES = ("digits", "digits-forest")
TREE_TYPE = "sklearn.tree._tree.Tree"
PYTHON = (sys.executable, "-m")


def publish_all(home: Path, alone: Path) -> None:
    """Publish the models of all workloads into one home, and the light one alone into another."""
    train(home, *SAMPLES)
    _publish(home, "digits-forest", home, "forest-sklearn", "sklearn")
    _publish(home, "digits", alone, "digits", "onnx")


def train(home: Path, *samples: str) -> None:
    """Train and publish samples into a new home."""
    home.mkdir(parents=True)
    command = [*PYTHON, "deploy.samples", *samples, "--registry", str(home / "registry")]
    run_to_end(command, defaults(), home / "bench.log")


def version_folder(home: Path, name: str) -> Path:
    """Return the folder of a model's only version."""
    return home / "registry" / name / "1"


def load_all(home: Path) -> dict[str, Any]:
    """Return every model itself, by its route's name."""
    files = {name: version_folder(home, name) / "model.skops" for name in MODELS}
    return {
        name: skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
        for name, file in files.items()
    }


def _publish(source: Path, model: str, home: Path, name: str, engine: str) -> None:
    folder = version_folder(source, model)
    command = [*PYTHON, "deploy", "publish", str(folder / "model.skops"), "--name", name]
    command += ["--sample", str(folder / "sample.npz"), "--engine", engine]
    command += ["--trust-type", TREE_TYPE]
    run_to_end(command, {**defaults(), "FLOTILLA_HOME": str(home)}, source / "bench.log")
