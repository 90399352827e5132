"""The right answers of each version of a model, to rows that are sent: a version in, judgements out.

A reply names its version; a version that nobody knew when the load began, because it was activated
since, is learned when it is first seen.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from deploy.errors import Refused
from loadtest.payloads import MARK, MARKS, Template, mark, right
from service.engine import load_estimator
from service.manifest import BrokenVersion, verify
from service.protocols.convert import rows_of
from service.shadow.agreement import agree


class Answers(Protocol):
    """What a model's versions answer; `place` is that of a request among the bodies."""

    def knows(self, version: int) -> bool:
        """Tell whether a version's replies can be judged at once."""

    def learn(self, version: int) -> None:
        """Find out what a version answers; this may take seconds."""

    def wrong(self, version: int, place: int, number: int, predictions: Any) -> str | None:
        """Return what is wrong with predictions, None for right ones; the version is known."""


class Published:
    """scikit-learn's own answers, of the versions in a registry."""

    def __init__(self, shelf: Path, version: int, templates: Sequence[Template]) -> None:
        """Take the folder of the model, and the requests with one version's answers."""
        self._shelf = shelf
        self._bodies = [each.body for each in templates]
        self._expected: dict[int, Sequence[list[Any] | None]] = {
            version: [each.expected for each in templates]
        }
        self._unknown: dict[int, str] = {}

    def knows(self, version: int) -> bool:
        """Tell whether a version has been looked for, whether or not it was found."""
        return version in self._expected or version in self._unknown

    def learn(self, version: int) -> None:
        """Load the version and let it answer all that is asked."""
        try:
            self._expected[version] = answers(self._shelf / str(version), self._bodies)
        except Refused as error:
            self._unknown[version] = str(error)

    def wrong(self, version: int, place: int, number: int, predictions: Any) -> str | None:
        """Compare with what scikit-learn answers; nothing is wrong where the mark decides."""
        if version in self._unknown:
            return f"version {version} answered, and can't be checked: {self._unknown[version]}"
        expected = self._expected[version][place]
        if expected is None or right(expected, predictions):
            return None
        return f"version {version} answered {_short(predictions)}, scikit-learn {_short(expected)}"


class Same:
    """Without a registry: the same row gets the same answer from the same version."""

    def __init__(self) -> None:
        self._first: dict[tuple[int, int, int], Any] = {}

    def knows(self, version: int) -> bool:
        """Say that there is nothing to learn."""
        return True

    def learn(self, version: int) -> None:
        """Learn nothing."""

    def wrong(self, version: int, place: int, number: int, predictions: Any) -> str | None:
        """Compare with the first answer; a row of its own (a number but 0) is asked for only once."""
        if number:
            return None
        first = self._first.setdefault((version, place, number), predictions)
        if right(first, predictions):
            return None
        return (
            f"version {version} answered {_short(predictions)}, for the same row {_short(first)} before"
        )


def answers(folder: Path, bodies: Sequence[bytes]) -> list[list[Any] | None]:
    """Return what the version in a folder answers to each body, by scikit-learn.

    None stands for a body whose answer depends on what replaces its mark. Raises `Refused` where the
    version isn't there, is damaged, or can't take these rows.
    """
    try:
        manifest = verify(folder)
    except BrokenVersion as error:
        raise Refused(f"{folder}: {error}") from error
    signature = manifest.signature
    predict = getattr(
        load_estimator(folder / manifest.artifact, manifest.trusted), signature.outputs[0].name
    )

    def of(number: int) -> list[list[Any]]:
        asked = [msgspec.json.decode(each.replace(MARK, mark(number)))["instances"] for each in bodies]
        rows = [row for each in asked for row in each]
        if signature.kind == "table":
            rows = [tuple(row[name] for name in signature.columns) for row in rows]
        found = iter(predict(rows_of(signature, rows).model_input()).tolist())
        return [[next(found) for _ in each] for each in asked]

    try:
        pairs = zip(of(0), of(MARKS - 1), strict=True)
        return [one if agree(one, other, 1e-4) else None for one, other in pairs]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"{folder} can't take the rows that are sent: {error}") from error


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
