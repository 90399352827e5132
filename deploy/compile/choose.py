"""Compiling: a fitted estimator comes in, the engine that is to serve it goes out, with the reason.

make each candidate → compare with scikit-learn → time all → choose. Called by `deploy.publish`.
Whatever fails on the way ends at scikit-learn: correct first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

import msgspec

from deploy.compile.candidates import CANDIDATES, Candidate, Made, NotMade
from deploy.compile.parity import compare
from deploy.compile.timing import describe_factor, time_calls
from deploy.errors import Refused
from service.engine import SklearnEngine
from service.manifest import Compilation, Parity
from service.rows import Rows
from service.signature import Signature

EngineChoice = Literal["auto", "linear", "onnx", "sklearn"]
Say = Callable[[str], None]
Timings = dict[str, dict[int, float]]
SHOWN = (1, 64)  # the sizes that the reason names


@dataclass(frozen=True)
class Compiled:
    """The engine chosen, what the manifest says of it, and the files that it needs."""

    engine: Literal["linear", "onnx", "sklearn"]
    compilation: Compilation
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Equal:
    """A compiled model that answers as scikit-learn does."""

    name: Literal["linear", "onnx"]
    made: Made
    parity: Parity


class _Dropped(Exception):  # noqa: N818  # not a failure
    """A candidate won't serve; the message says why."""

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
    """Choose the engine; raise `Refused` where one was asked for that can't be had.

    `scratch` is an empty folder for compiled models that are being tried.
    """
    wanted = [each for each in CANDIDATES if choice in ("auto", each.name)]
    if not wanted:
        return Compiled("sklearn", Compilation(reason="asked for"))
    try:
        return _compile(wanted, estimator, signature, sample, scratch, choice != "auto", say)
    except Exception as error:  # whatever a user's estimator raises on rows beside its sample
        why = f"it can't be compared: {type(error).__name__}: {error}"
        dropped = error if isinstance(error, _Dropped) else _Dropped(why)
        if choice != "auto":
            raise Refused(f"it can't be served {wanted[0].how}: {dropped}") from error
        return Compiled("sklearn", Compilation(reason=str(dropped), parity=dropped.parity))


def _compile(
    wanted: list[Candidate],
    estimator: Any,
    signature: Signature,
    sample: Rows,
    scratch: Path,
    asked_for: bool,
    say: Say,
) -> Compiled:
    reference = SklearnEngine(estimator)
    equal: list[_Equal] = []
    dropped: list[_Dropped] = []
    unequal: list[str] = []
    for candidate in wanted:
        if candidate.doing:
            say(candidate.doing)
        try:
            made = candidate.make(estimator, signature, scratch)
            say(f"comparing {candidate.name} with scikit-learn, on the sample and beside it")
            parity = compare(reference, made.engine, signature, sample)
            if parity.problem:
                raise _Dropped(f"the compiled model isn't equal: {parity.problem}", parity)
            equal.append(_Equal(candidate.name, made, parity))
        except NotMade as error:
            dropped.append(_Dropped(str(error)))
        except _Dropped as error:
            dropped.append(error)
            unequal.append(f"not {candidate.how}: {error}")
    if not equal:
        raise dropped[-1]
    say("timing the engines")
    output = signature.outputs[0].name
    timings = {"sklearn": time_calls(reference, sample, output)}
    timings |= {each.name: time_calls(each.made.engine, sample, output) for each in equal}
    return _choose(equal, timings, unequal, asked_for)


def _choose(equal: list[_Equal], timings: Timings, unequal: list[str], asked_for: bool) -> Compiled:
    """Return the engine that is fastest in the geometric mean over the sizes."""
    spent = {name: prod(by_rows.values()) for name, by_rows in timings.items()}
    best = min(equal, key=lambda each: spent[each.name])
    factors = [timings["sklearn"][rows] / timings[best.name][rows] for rows in SHOWN]
    reason = _describe(best, factors, timings)
    serves = True
    if spent["sklearn"] <= spent[best.name]:
        serves = asked_for
        reason += f": slower on the whole{', but asked for' * asked_for}"
    compilation = msgspec.structs.replace(
        best.made.plan if serves else Compilation(),
        reason="; ".join([reason, *unequal]),
        factor=round(factors[0], 2),
        parity=best.parity,
        timings_us=timings,
    )
    if serves:
        return Compiled(best.name, compilation, best.made.files)
    return Compiled("sklearn", compilation)


def _describe(best: _Equal, factors: list[float], timings: Timings) -> str:
    few, many = SHOWN
    spent = [f"{name} {us[few]:,.1f} and {us[many]:,.1f}" for name, us in sorted(timings.items())]
    return (
        f"equal on {best.parity.rows:,} rows; {describe_factor(factors[0])} times as fast as "
        f"scikit-learn with one row, {describe_factor(factors[1])} times with {many} "
        f"(µs: {', '.join(spent)})"
    )
