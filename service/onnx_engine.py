"""The compiled engine: rows in, ONNX Runtime's answers out, in the dtypes and shapes of the signature.

Made by `service.engine` for versions whose manifest says `onnx`. Needs neither scikit-learn nor
pandas, which a replica of compiled models therefore never imports.
"""

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from service.manifest import Compilation
from service.rows import Rows, TableRows
from service.signature import Signature, Tensor

Feed = dict[str, NDArray[Any]]
Shaper = Callable[[NDArray[Any]], NDArray[Any]]
_FATAL_ONLY = 4  # errors are raised as well


class _Call(NamedTuple):
    """One run of a session: the tensors to ask it for, and what each becomes."""

    session: Any
    tensors: list[str]
    outputs: list[tuple[str, Shaper]]


class OnnxEngine:
    """A model compiled by `deploy.compile`. Sessions don't survive a fork: make it in the worker."""

    name = "onnx"

    def __init__(self, folder: Path, compilation: Compilation, signature: Signature) -> None:
        self._shapers = {each.name: _shaper(each) for each in signature.outputs}
        self._graphs = [(open_session(folder / g.file), g.tensors) for g in compilation.graphs]
        # By position: a converter may change names that aren't identifiers. All graphs of a model
        # come from one conversion and take the same.
        names = [each.name for each in self._graphs[0][0].get_inputs()]
        self._feed = _feeder(signature, names, compilation.lowercase)
        self._calls: dict[tuple[str, ...], list[_Call]] = {}

    def run(self, rows: Rows, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Run each graph that gives one of the outputs; raise `ValueError` for rows it can't take."""
        asked = tuple(outputs)
        calls = self._calls.get(asked)
        if calls is None:
            calls = self._calls[asked] = self._plan(asked)
        feed = self._feed(rows)
        answers = {}
        for call in calls:
            try:
                given = call.session.run(call.tensors, feed)
            except Exception as error:  # ONNX Runtime's errors have no common base
                # The signature has been checked: what is left is a value, such as a new category.
                raise ValueError(str(error).rpartition("Status Message: ")[2]) from error
            for (name, shape), values in zip(call.outputs, given, strict=True):
                answers[name] = shape(values)
        return answers

    def _plan(self, outputs: tuple[str, ...]) -> list[_Call]:
        calls = []
        for session, tensors in self._graphs:
            names = [name for name in outputs if name in tensors]
            if names:
                shapers = [(name, self._shapers[name]) for name in names]
                calls.append(_Call(session, [tensors[name] for name in names], shapers))
        return calls


def open_session(path: Path) -> Any:
    """Return a session on a graph, for one CPU: a replica's threads would fight over it."""
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Both keep memory for each size of batch seen; batches here have every size.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _FATAL_ONLY
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    _give_back_memory()
    return session


def _give_back_memory() -> None:
    """Return to the system what parsing took: 23 MB of 116 for a forest. Only glibc can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _feeder(signature: Signature, names: list[str], lowercase: bool) -> Callable[[Rows], Feed]:
    """Return what turns rows into the graph's inputs; a table of numbers may go in as a matrix."""
    name = names[0]
    if signature.kind == "tensor":
        return lambda rows: {name: rows.model_input()}
    if signature.kind == "text":
        if lowercase:  # here, because ONNX Runtime's own needs a locale and knows fewer letters
            return lambda rows: {name: _strings([each.lower() for each in rows.model_input()])}
        return lambda rows: {name: _strings(rows.model_input())}
    if len(names) == 1:
        return lambda rows: {name: np.array(_cells(rows), dtype=np.float64)}
    if len(names) != len(signature.inputs):
        raise ValueError(
            f"the graph has {len(names)} inputs, the model {len(signature.inputs)} columns"
        )
    dtypes = [object if each.dtype == "string" else each.dtype for each in signature.inputs]

    def columns(rows: Rows) -> Feed:
        """Return an array (rows, 1) for each column; a missing number becomes NaN."""
        given = zip(names, dtypes, zip(*_cells(rows), strict=True), strict=True)
        return {name: np.array(cells, dtype=dtype).reshape(-1, 1) for name, dtype, cells in given}

    return columns


def _strings(values: list[str]) -> NDArray[Any]:
    return np.array(values, dtype=object)


def _cells(rows: Rows) -> list[tuple[Any, ...]]:
    assert isinstance(rows, TableRows)
    return rows.values


def _shaper(output: Tensor) -> Shaper:
    """Return what brings a tensor of the graph into the output's dtype and number of axes."""
    one_axis = len(output.shape) == 1
    dtype = None if output.dtype == "string" else np.dtype(output.dtype)

    def shape(values: NDArray[Any]) -> NDArray[Any]:
        if one_axis and values.ndim == 2:  # (rows, 1), or the scores of both classes
            values = values[:, -1]
        return values if dtype is None else values.astype(dtype, copy=False)

    return shape
