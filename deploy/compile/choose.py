"""Compiling: a fitted estimator comes in, the engine that is to serve it goes out, with the reason.

convert → compare with scikit-learn → time both → choose. Called by `deploy.publish`. Whatever fails
on the way ends at scikit-learn: correct first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

from deploy.compile.parity import compare
from deploy.compile.timing import time_calls
from deploy.errors import Refused
from service.engine import Engine, SklearnEngine
from service.manifest import Compilation, Parity
from service.rows import Rows
from service.signature import Signature

EngineChoice = Literal["auto", "onnx", "sklearn"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Compiled:
    """The engine chosen, what the manifest says of it, and the files that it needs."""

    engine: Literal["onnx", "sklearn"]
    compilation: Compilation
    files: dict[str, bytes] = field(default_factory=dict)


class _Stays(Exception):  # noqa: N818  # not a failure
    """The model stays with scikit-learn; the message says why."""

    def __init__(self, reason: str, parity: Parity | None = None) -> None:
        super().__init__(reason)
        self.parity = parity


def compile_model(
    estimator: Any,
    signature: Signature,
    sample: Rows,
    scratch: Path,
    choice: EngineChoice = "auto",
    say: Say = lambda text: None,
) -> Compiled:
    """Choose the engine; raise `Refused` where `onnx` was asked for and can't be had.

    `scratch` is an empty folder for graphs that are being tried.
    """
    if choice == "sklearn":
        return Compiled("sklearn", Compilation(reason="asked for"))
    try:
        return _compile(estimator, signature, sample, scratch, choice, say)
    except _Stays as stays:
        if choice == "onnx":
            raise Refused(f"it can't be served by ONNX: {stays}") from stays
        return Compiled("sklearn", Compilation(reason=str(stays), parity=stays.parity))
    except Exception as error:  # whatever a user's estimator raises on rows beside its sample
        why = f"it can't be compared: {type(error).__name__}: {error}"
        if choice == "onnx":
            raise Refused(f"it can't be served by ONNX: {why}") from error
        return Compiled("sklearn", Compilation(reason=why))


def _compile(
    estimator: Any, signature: Signature, sample: Rows, scratch: Path, choice: str, say: Say
) -> Compiled:
    from deploy.compile.convert import (  # brings skl2onnx, which is slow to import
        NotConvertible,
        convert,
    )
    from service.onnx_engine import OnnxEngine

    say("converting it to ONNX")
    try:
        converted = convert(estimator, signature)
    except NotConvertible as error:
        raise _Stays(str(error)) from error
    for name, content in converted.files.items():
        (scratch / name).write_bytes(content)
    plan = Compilation(graphs=converted.graphs, lowercase=converted.lowercase)
    reference = SklearnEngine(estimator)
    try:
        compiled = OnnxEngine(scratch, plan, signature)
    except Exception as error:  # ONNX Runtime's errors have no common base
        raise _Stays(f"ONNX Runtime can't open it: {' '.join(str(error).split())[:300]}") from error

    say("comparing its answers with scikit-learn's, on the sample and beside it")
    parity = compare(reference, compiled, signature, sample)
    if parity.problem:
        raise _Stays(f"the compiled model isn't equal: {parity.problem}", parity)

    say("timing both engines")
    output = signature.outputs[0].name
    engines: dict[str, Engine] = {"sklearn": reference, "onnx": compiled}
    timings = {name: time_calls(engine, sample, output) for name, engine in engines.items()}
    ratios = {rows: us / timings["onnx"][rows] for rows, us in timings["sklearn"].items()}
    fewest, most = min(ratios), max(ratios)
    reason = (
        f"equal on {parity.rows:,} rows; {describe_factor(ratios[fewest])} times as fast as "
        f"scikit-learn with one row, {describe_factor(ratios[most])} times with {most}"
    )
    faster = prod(ratios.values()) > 1  # in the geometric mean over the sizes
    onnx = faster or choice == "onnx"
    compilation = Compilation(
        reason=reason if faster else f"{reason}: slower on the whole{', but asked for' * onnx}",
        factor=round(ratios[fewest], 2),
        parity=parity,
        timings_us=timings,
        graphs=converted.graphs if onnx else (),
        lowercase=converted.lowercase,
    )
    return Compiled("onnx", compilation, converted.files) if onnx else Compiled("sklearn", compilation)


def describe_factor(factor: float) -> str:
    """Return a factor with as many digits as a timing is good for."""
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.1f}"
