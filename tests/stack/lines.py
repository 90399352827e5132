"""Versions whose answers tell which one gave them: version k answers k times the sum of two numbers."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from skops.io import dump

from loadtest.client import Payload
from tests.published import LINE_SAMPLE, line
from tests.stack.stack import Stack


def publish_line(stack: Stack, folder: Path, name: str, slope: float) -> None:
    """Publish the next version of a model, a line with a slope."""
    dump(line(slope), folder / "model.skops")
    np.savez(folder / "sample.npz", x=LINE_SAMPLE)
    files = (str(folder / "model.skops"), "--sample", str(folder / "sample.npz"))
    stack.flotilla("publish", files[0], "--name", name, *files[1:])


def line_payloads(unique: int, repeated: int, repeats: int = 10) -> list[Payload]:
    """Return requests for lines: after each that comes once some that come again and again.

    They come from many clients, so that versions that share the requests meet the same rows.
    """
    again = itertools.cycle(range(repeated))
    rows = []
    for number in range(unique):
        rows.append((number + 0.5, 1.0))
        rows += [(-1.0 - next(again), 0.25) for _ in range(repeats)]
    return [line_payload(*row, X_Client_ID=f"client-{n % 499}") for n, row in enumerate(rows)]


def line_payload(first: float, second: float, **headers: str) -> Payload:
    """Return a request for one row; it expects their sum, times the version's slope."""
    body = json.dumps({"instances": [[first, second]]}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Payload(body, first + second, headers=named)


def check_line(payload: Payload, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return None where the answer is that of the version that the reply names, else what is wrong."""
    version = headers.get("x-model-version", "")
    wrong = check_answer(float(version or "nan") * float(str(payload.expected)), status, body)
    return wrong and f"{wrong} (version {version})"


def check_answer(expected: float, status: int, body: bytes) -> str | None:
    """Return None for a reply with this prediction, else what is wrong."""
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    (answer,) = json.loads(body)["predictions"]
    return None if abs(answer - expected) <= 1e-9 * abs(expected) else f"{answer}, not {expected}"
