"""Publishing: a model file and a sample come in, an immutable version in the registry goes out.

A version is written beside its place, synced to disk and renamed, so that nobody ever sees half of
it. Afterwards it is never changed.
"""

import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from re import fullmatch
from typing import Any

from deploy.baseline import write_baseline
from deploy.compile.choose import EngineChoice, Say, compile_model
from deploy.describe import describe
from deploy.errors import Refused, writing
from deploy.sample import Sample, write_sample
from service.counting.predicted import OUTPUT
from service.engine import dense, load_estimator
from service.manifest import MODEL_NAME, BrokenVersion, Manifest, write_manifest
from service.signature import Signature
from service.version import SAMPLE, open_version, read_sample
from service.versions.route import ROUTES

LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas", "skops", "onnxruntime", "skl2onnx", "onnx")


def publish(
    registry: Path,
    model: Path,
    name: str,
    sample: Sample,
    *,
    description: str = "",
    metrics: Mapping[str, float] | None = None,
    trusted: Sequence[str] = (),
    trust_pickle: bool = False,
    engine: EngineChoice = "auto",
    say: Say = lambda text: None,
) -> Manifest:
    """Write the next version of `name` and return its manifest; raise `Refused` and change nothing.

    `say` is told what takes a while.
    """
    if not fullmatch(MODEL_NAME, name) or name == ROUTES:
        raise Refused(
            f"{name!r} can't be a model's name: expected letters, digits, '.', '_' and '-', "
            f"at most 64, beginning with a letter or digit, and not {ROUTES!r}"
        )
    estimator = open_model(model, trusted, trust_pickle)
    signature, sample = describe(estimator, sample)
    shelf = registry / name
    with writing(registry):
        shelf.mkdir(parents=True, exist_ok=True)
        workplace = tempfile.TemporaryDirectory(prefix=".publishing-", dir=shelf)
    with workplace as temporary:
        staging = Path(temporary) / "version"
        staging.mkdir()
        artifact = staging / f"model{model.suffix}"
        shutil.copyfile(model, artifact)
        write_sample(sample, signature, staging / SAMPLE)
        rows = read_sample(staging / SAMPLE, signature)
        write_baseline(signature, sample, _predictions(estimator, signature, sample), staging)
        compiled = compile_model(estimator, signature, rows, Path(temporary), engine, say)
        for file, content in compiled.files.items():
            (staging / file).write_bytes(content)
        while True:
            number = next_version(shelf)
            try:
                manifest = write_manifest(
                    staging,
                    name=name,
                    version=number,
                    created=datetime.now(UTC).isoformat(timespec="seconds"),
                    description=description,
                    artifact=artifact.name,
                    trusted=tuple(trusted),
                    engine=compiled.engine,
                    compilation=compiled.compilation,
                    signature=signature,
                    metrics=dict(metrics or {}),
                    libraries=_libraries(),
                )
                open_version(staging, manifest)
            except BrokenVersion as error:
                raise Refused(f"no replica could serve it: {error}") from error
            _sync(staging)
            try:
                staging.rename(shelf / str(number))
            except OSError:
                if not (shelf / str(number)).exists():
                    raise
                (staging / "manifest.json").unlink()  # another publisher took the number
                continue
            _sync(shelf)
            return manifest


def open_model(path: Path, trusted: Sequence[str], trust_pickle: bool) -> Any:
    """Open a model file; raise `Refused` where that would mean running code nobody vouched for."""
    if path.suffix not in (".skops", ".joblib", ".pkl", ".pickle"):
        raise Refused(f"{path}: a model is a .skops file, or with --trust a .joblib or .pkl file")
    if not path.is_file():
        raise Refused(f"{path}: no such file")
    if path.suffix != ".skops" and not trust_pickle:
        raise Refused(
            f"{path}: a pickle runs any code it holds when it is opened, on every replica. Save the "
            "model with skops.io.dump, or vouch for the file with --trust"
        )
    try:
        if path.suffix == ".skops":
            from skops.io import get_untrusted_types

            unknown = sorted(set(get_untrusted_types(file=path)) - set(trusted))
            if unknown:
                flags = " ".join(f"--trust-type {each}" for each in unknown)
                raise Refused(
                    f"{path}: it holds types that skops doesn't know: {', '.join(unknown)}. "
                    f"If you know where they come from: {flags}"
                )
        return load_estimator(path, trusted)
    except Refused:
        raise
    except Exception as error:  # whatever a foreign file makes its loader raise
        raise Refused(f"{path}: can't be opened: {type(error).__name__}: {error}") from error


def _predictions(estimator: Any, signature: Signature, sample: Sample) -> list[Any]:
    """Return what the model predicts for the sample; nothing where that isn't one value a row."""
    first = signature.outputs[0]
    if first.name != OUTPUT or len(first.shape) > 1:
        return []
    predictions: list[Any] = dense(estimator.predict(sample)).tolist()
    return predictions


def next_version(shelf: Path) -> int:
    """Return the number after the largest one in a model's folder."""
    return max((int(each.name) for each in shelf.iterdir() if each.name.isdecimal()), default=0) + 1


def _libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: installed(name) for name in LIBRARIES}}


def _sync(folder: Path) -> None:
    """Write a folder and the files in it to disk for good."""
    for path in (*(each for each in folder.iterdir() if each.is_file()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
