"""Two versions side by side: a registry and rows come in, how their answers differ goes out.

Offline: both are opened here, by their own engines, and asked in the way a replica does. For
`flotilla compare`, before a version is let near clients.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from deploy.comparison import Comparison, Side, differ_in_labels, differ_in_numbers
from deploy.compatible import differences
from deploy.errors import Refused
from deploy.request_rows import request_rows
from deploy.sample import Sample, read_sample
from service.inference import infer
from service.manifest import BrokenVersion
from service.rows import Rows
from service.signature import Signature
from service.version import SAMPLE, LoadedVersion, load_version

CALL_ROWS = 256
FEWEST_CALLS = 7

Say = Callable[[str], None]


class _Answers(NamedTuple):
    """A version's answers, None where it had none."""

    side: Side
    values: list[Any]


def compare(
    registry: Path,
    model: str,
    first: int,
    second: int,
    sample: Sample | None = None,
    tolerance: float = 0.01,
    say: Say = lambda text: None,
) -> Comparison:
    """Ask both versions for their first output on all rows, and compare; raise `Refused`.

    Labels have to be equal, and numbers within `tolerance` of the larger one. A row that only one of
    them answers differs. Without a sample the rows are the second version's own.
    """
    versions = []
    for number in (first, second):
        say(f"loading {model} version {number}")
        versions.append(_load(registry, model, number))
    _check_alike(model, *versions)
    if sample is None:
        sample = read_sample(registry / model / str(second) / SAMPLE)
    rows = [request_rows(version, sample) for version in versions]
    output = versions[0].signature.outputs[0]
    answers = []
    for version, given in zip(versions, rows, strict=True):
        say(f"asking version {version.number} for {len(given):,} rows")
        answers.append(_ask(version, output.name, given))
    one, two = answers
    if output.dtype != "float64" or versions[0].signature.classes:
        found = differ_in_labels(one.values, two.values)
    else:
        found = differ_in_numbers(one.values, two.values, tolerance)
    return Comparison(
        model=model,
        output=output.name,
        first=one.side,
        second=two.side,
        rows=len(sample),
        disagreeing=len(found.places),
        rate=len(found.places) / len(sample),
        tolerance=tolerance,
        pairs=found.pairs,
        absolute=found.absolute,
        relative=found.relative,
        examples=found.examples(one.values, two.values),
        signature=differences(*(version.signature for version in versions)),
    )


def _load(registry: Path, model: str, number: int) -> LoadedVersion:
    folder = registry / model / str(number)
    if not folder.is_dir():
        there = sorted(int(each.name) for each in folder.parent.glob("[0-9]*") if each.name.isdecimal())
        words = ", ".join(map(str, there)) or "none"
        raise Refused(f"{model} has no version {number} in {registry}; there are: {words}")
    try:
        return load_version(folder)
    except BrokenVersion as error:
        raise Refused(f"{model} version {number} can't be opened: {error}") from error


def _check_alike(model: str, first: LoadedVersion, second: LoadedVersion) -> None:
    """Raise `Refused` where no row could be asked of both, or their answers aren't of one kind."""
    found = differences(_asked(first.signature), _asked(second.signature))
    before, after = (version.signature.outputs[0] for version in (first, second))
    if not found and before.shape[1:] != after.shape[1:]:
        found = [f"{before.name!r} had the shape {before.shape}, now it has {after.shape}"]
    if found:
        numbers = f"{first.number} and {second.number}"
        raise Refused(f"{model} versions {numbers} can't be compared: {'; '.join(found)}")


def _asked(signature: Signature) -> Signature:
    """Return what has to be alike: not further outputs, nor the order of columns, which are named here.

    Whether a gap is taken is left to the rows that have one.
    """
    inputs = [msgspec.structs.replace(each, nullable=False) for each in signature.inputs]
    ordered = tuple(sorted(inputs, key=lambda each: each.name))
    return msgspec.structs.replace(signature, inputs=ordered, outputs=signature.outputs[:1])


def _ask(version: LoadedVersion, output: str, rows: Rows) -> _Answers:
    """Ask as a replica does, with one thread; more than once where there are few rows to time."""
    starts = range(0, len(rows), CALL_ROWS)
    parts = [
        [rows.take([i]) for i in range(start, min(start + CALL_ROWS, len(rows)))] for start in starts
    ]
    # What a model warns of on odd rows, such as a category that it doesn't know, is no news here.
    with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        first = [infer(version, (output,), part) for part in parts]
        calls = [call for each in first for call in each.calls]
        while calls and len(calls) < FEWEST_CALLS:
            calls += [call for part in parts for call in infer(version, (output,), part).calls]
    outcomes = [outcome for each in first for outcome in each.outcomes]
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    values = [None if isinstance(each, Exception) else each[output][0] for each in outcomes]
    side = Side(
        version=version.manifest.version,
        engine=version.manifest.engine,
        row_us=_row_us(calls),
        failed=len(errors),
        reason=str(errors[0]) if errors else "",
    )
    return _Answers(side, values)


def _row_us(calls: Sequence[tuple[float, int]]) -> float | None:
    """Return the median of the calls with the most rows: a row alone costs far more."""
    most = max((rows for _, rows in calls), default=0)
    spent = [seconds / rows for seconds, rows in calls if rows == most]
    return round(median(spent) * 1e6, 2) if spent else None
