"""What is asked, and what must come back: a published version comes in, requests with answers go out.

Rows are those of the version's own sample, and the right answer to each is scikit-learn's, computed
from the published model: what serves is checked against what was trained. Locust's scenarios and the
generator send them.
"""

import itertools
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from deploy.errors import Refused
from service.engine import load_estimator
from service.manifest import BrokenVersion, Manifest, verify
from service.protocols.convert import rows_of
from service.rows import Rows, TableRows
from service.shadow.agreement import agree
from service.version import SAMPLE, read_sample

# Stands in a body for a number that differs in each request; as wide as what `mark` puts there.
MARK = b"@@@@@@@@@"
MARKS = 10**9
# A compiled model computes in float32 here and there.
TOLERANCE = 1e-4
MOST_TEMPLATES = 2000


class Template(Struct, frozen=True):
    """One request: its body, with `MARK` where a number of nine digits goes, and its answers."""

    body: bytes
    expected: list[Any]  # `predictions`, one for each row


class Payloads(Struct, frozen=True, kw_only=True):
    """Requests for one version of a model; `path` is the URL's."""

    model: str
    version: int
    path: str
    unique: bool
    rows: int  # of each request
    templates: list[Template]


def mark(number: int) -> bytes:
    """Return what replaces `MARK` in the request of this number, 0 to `MARKS` - 1."""
    return b"%09d" % number


def make_payloads(
    version: Path, *, rows: int = 1, unique: bool = True, most: int = MOST_TEMPLATES
) -> Payloads:
    """Return requests for the published version in a folder, at most `most` different ones.

    With `unique` each row holds a mark: nine more digits of its first fraction, or of a word of its own
    in a text, which make it another row with the same answer. Raises `Refused` where no row has room
    for such, or the version can't be read.
    """
    try:
        manifest = verify(version)
    except BrokenVersion as error:
        raise Refused(f"{version}: {error}") from error
    plain = _json_rows(read_sample(version / SAMPLE, manifest.signature, most * rows))
    texts = [marked for row in plain if (marked := _text_of(row, unique)) is not None]
    asked = _answered(version, manifest, texts)
    if not asked:
        raise Refused(
            f"{manifest.name} version {manifest.version}: no row of its sample can be made unique "
            "without changing its answer; ask for repeated rows instead (--shape repeats)"
        )
    return Payloads(
        model=manifest.name,
        version=manifest.version,
        path=f"/v1/models/{manifest.name}:predict",
        unique=unique,
        rows=rows,
        templates=list(_requests(asked, rows, most)),
    )


def right(expected: Sequence[Any], predictions: Any) -> bool:
    """Tell whether a reply's predictions are the expected ones: labels equal, numbers within 1e-4."""
    return agree(expected, predictions, TOLERANCE)


def write(payloads: Payloads, path: Path) -> None:
    """Write payloads for a process of the generator."""
    path.write_bytes(msgspec.msgpack.encode(payloads))


def read(path: Path) -> Payloads:
    """Read what `write` has written."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Payloads)


def _json_rows(sample: Rows) -> list[Any]:
    """Return rows as clients send them: numbers as floats, missing ones as None."""
    if isinstance(sample, TableRows):
        names = sample.signature.columns
        return [dict(zip(names, map(_plain, row), strict=True)) for row in sample.values]
    values = sample.model_input()
    if isinstance(values, list):
        return values
    return [[_plain(value) for value in row] for row in values.tolist()]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text_of(row: Any, unique: bool) -> str | None:
    """Return a row in JSON, with a mark if it is to be unique; None where it has no room for one."""
    if not unique:
        return json.dumps(row)
    if isinstance(row, str):
        return json.dumps(f"{row} q{MARK.decode()}")
    cells = row.items() if isinstance(row, dict) else enumerate(row)
    place, value = next(((key, cell) for key, cell in cells if isinstance(cell, float)), (None, 0.0))
    if place is None:
        return None
    # Seven digits of its own and nine more: a double holds sixteen.
    digits, _, exponent = f"{value:.6e}".partition("e")
    number = f"{digits}{MARK.decode()}e{exponent}"
    changed = {**row, place: number} if isinstance(row, dict) else [*row]
    changed[place] = number
    return json.dumps(changed).replace(f'"{number}"', number)


def _answered(version: Path, manifest: Manifest, texts: Sequence[str]) -> list[tuple[str, Any]]:
    """Return each row with scikit-learn's answer, without those whose answer the mark would change."""
    if not texts:
        return []
    estimator = load_estimator(version / manifest.artifact, manifest.trusted)
    predict = getattr(estimator, manifest.signature.outputs[0].name)

    def answers(number: int) -> list[Any]:
        rows = [json.loads(text.replace(MARK.decode(), mark(number).decode())) for text in texts]
        if manifest.signature.kind == "table":
            rows = [tuple(row[name] for name in manifest.signature.columns) for row in rows]
        found: list[Any] = predict(rows_of(manifest.signature, rows).model_input()).tolist()
        return found

    pairs = zip(texts, answers(0), answers(MARKS - 1), strict=True)
    return [(text, answer) for text, answer, other in pairs if agree(answer, other, TOLERANCE)]


def _requests(asked: Sequence[tuple[str, Any]], rows: int, most: int) -> Iterable[Template]:
    """Yield requests of so many rows each; a sample with fewer is gone through again."""
    endless = itertools.cycle(asked)
    for _ in range(min(most, max(1, len(asked) // rows))):
        texts, answers = zip(*itertools.islice(endless, rows), strict=True)
        yield Template(f'{{"instances": [{", ".join(texts)}]}}'.encode(), list(answers))
