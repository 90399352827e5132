"""The engines that a model may be compiled for: each makes of an estimator what a replica would open.

Called by `deploy.compile.choose`, which compares and times them.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from service.engine import Engine
from service.manifest import Compilation
from service.signature import Signature

FOLDED = "linear.npz"


class NotMade(Exception):  # noqa: N818  # not a failure
    """The model has no such form; the message says why."""


@dataclass(frozen=True)
class Made:
    """A compiled model: opened, the files that it needs, and what the manifest says of them."""

    engine: Engine
    files: dict[str, bytes]
    plan: Compilation


@dataclass(frozen=True)
class Candidate:
    """A way to compile; the model is then "served {how}". `doing` says what takes a while in it.

    `make` writes into the folder that it is given, and raises `NotMade`.
    """

    name: Literal["linear", "onnx"]
    how: str
    make: Callable[[Any, Signature, Path], Made]
    doing: str = ""


def _make_linear(estimator: Any, signature: Signature, scratch: Path) -> Made:
    from deploy.compile.fold import NotFoldable, fold
    from service.linear_engine import LinearEngine

    try:
        arrays = fold(estimator, signature)
    except NotFoldable as error:
        raise NotMade(str(error)) from error
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # its stub lacks the keywords
    (scratch / FOLDED).write_bytes(content.getvalue())
    engine = LinearEngine(scratch / FOLDED, signature)
    return Made(engine, {FOLDED: content.getvalue()}, Compilation(folded=FOLDED))


def _make_onnx(estimator: Any, signature: Signature, scratch: Path) -> Made:
    from deploy.compile.convert import (  # brings skl2onnx, which is slow to import
        NotConvertible,
        convert,
    )
    from service.onnx_engine import OnnxEngine

    try:
        converted = convert(estimator, signature)
    except NotConvertible as error:
        raise NotMade(str(error)) from error
    for name, content in converted.files.items():
        (scratch / name).write_bytes(content)
    plan = Compilation(graphs=converted.graphs, lowercase=converted.lowercase)
    try:
        engine = OnnxEngine(scratch, plan, signature)
    except Exception as error:  # ONNX Runtime's errors have no common base
        why = " ".join(str(error).split())[:300]
        raise NotMade(f"ONNX Runtime can't open it: {why}") from error
    return Made(engine, converted.files, plan)


LINEAR = Candidate("linear", "as one product", _make_linear)
ONNX = Candidate("onnx", "by ONNX", _make_onnx, "converting it to ONNX")
CANDIDATES = (LINEAR, ONNX)
