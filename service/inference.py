"""One call of an engine for several requests: their rows come in, an answer or an error for each out.

Called by the batcher, on the loop or in its worker thread, and touches nothing that they share.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from service.errors import BadInput
from service.rows import Rows
from service.version import LoadedVersion

Columns = dict[str, list[Any]]


class Inference(NamedTuple):
    """An outcome for each request, and (seconds, rows) of each call of the engine that succeeded.

    `began` is when the first call did, of the clock `time.perf_counter`.
    """

    outcomes: list[Columns | Exception]
    calls: list[tuple[float, int]]
    began: float

    @property
    def seconds(self) -> float:
        """The time of all calls."""
        return sum(seconds for seconds, _ in self.calls)

    @property
    def rows(self) -> int:
        """The rows of all calls."""
        return sum(rows for _, rows in self.calls)


def infer(version: LoadedVersion, outputs: tuple[str, ...], parts: Sequence[Rows]) -> Inference:
    """Answer every request. One's bad row doesn't spoil the others' answers."""
    began = time.perf_counter()
    try:
        return _infer_together(version, outputs, parts, began)
    except Exception as error:  # whatever a user's model raises
        if len(parts) == 1:
            return Inference([_blame(version, error)], [], began)
        alone = [infer(version, outputs, [rows]) for rows in parts]
        outcomes = [each.outcomes[0] for each in alone]
        return Inference(outcomes, [call for each in alone for call in each.calls], began)


def _infer_together(
    version: LoadedVersion, outputs: tuple[str, ...], parts: Sequence[Rows], began: float
) -> Inference:
    # Joined, rows are copied: a step of somebody's own may write into what others are still to see.
    joined = len(parts) > 1 or version.engine.name == "sklearn"
    batch = parts[0].join(parts[1:]) if joined else parts[0]
    arrays = version.engine.run(batch, outputs)
    rows = len(batch)
    lists = {}
    for name, array in arrays.items():
        if len(array) != rows:
            raise RuntimeError(f"{name} gave {len(array)} answers for {rows} rows")
        lists[name] = array.tolist()
    calls = [(time.perf_counter() - began, rows)]
    if len(parts) == 1:
        return Inference([lists], calls, began)
    outcomes: list[Columns | Exception] = []
    begin = 0
    for part in parts:
        end = begin + len(part)
        outcomes.append({name: values[begin:end] for name, values in lists.items()})
        begin = end
    return Inference(outcomes, calls, began)


def _blame(version: LoadedVersion, error: Exception) -> Exception:
    """Tell a row that the model can't take from a model that is broken."""
    if isinstance(error, ValueError | TypeError | KeyError):
        refusal = BadInput(f"{version.name} can't use this input: {error}")
        refusal.__cause__ = error
        return refusal
    if isinstance(error, StopIteration):  # a future can't carry it
        failure = RuntimeError(f"{version.name} raised StopIteration")
        failure.__cause__ = error
        return failure
    return error
