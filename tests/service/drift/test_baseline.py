"""A version's baseline as a replica reads it: names of bins, a bound on features, and none at all."""

import logging
from pathlib import Path

import msgspec
import pytest

from service.drift.baseline import (
    BASELINE,
    MOST_NAME_CHARACTERS,
    PREDICTED,
    PREDICTION,
    Baseline,
    Feature,
    read_features,
    spread,
)
from service.manifest import Manifest, file_digest
from tests.fakes import fake_version

GAP = Feature(name="x[0]", column=0, measure="number", edges=(1.5,), gaps=True, shares=(0.2, 0.3, 0.5))
ANSWER = Feature(name=PREDICTION, column=PREDICTED, measure="category", categories=("a", "b"))


def manifest(folder: Path) -> Manifest:
    """Return the manifest of a version with the files in a folder."""
    files = {path.name: file_digest(path) for path in folder.iterdir()}
    return msgspec.structs.replace(fake_version().manifest, files=files)


@pytest.mark.parametrize(
    ("feature", "names"),
    [
        (GAP, ["1: up to 1.5", "2: above 1.5", "(missing)"]),
        (Feature(name="c", column=0, measure="number"), ["1: any"]),
        (
            Feature(name="c", column=0, measure="words", edges=tuple(float(n) for n in range(9))),
            ["01: up to 0", *(f"{n + 1:02}: {n - 1} to {n}" for n in range(1, 9)), "10: above 8"],
        ),
        (
            Feature(name="c", column=0, measure="category", categories=(False, 1.5, "x"), other=True),
            ["false", "1.5", "x", "(other)"],
        ),
        # As a category may be called what a bin is called.
        (
            Feature(name="c", column=0, measure="category", categories=("(other)",), other=True),
            ["(other)", "(other) #1"],
        ),
        (
            Feature(
                name="c", column=0, measure="category", categories=("x" * 99 + "a", "x" * 99 + "b")
            ),
            ["x" * MOST_NAME_CHARACTERS, "x" * MOST_NAME_CHARACTERS + " #1"],
        ),
    ],
)
def test_bin_names(feature: Feature, names: list[str]) -> None:
    """Each bin has a name that no other has; ranges sort as numbers do."""
    assert feature.bin_names() == names
    assert feature.size == len(names)


def test_read(tmp_path: Path) -> None:
    """What was written is read."""
    (tmp_path / BASELINE).write_bytes(msgspec.json.encode(Baseline(50, (GAP, ANSWER))))
    assert read_features(tmp_path, manifest(tmp_path), 10) == (GAP, ANSWER)


def test_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A version that was published before there were baselines has none, and nothing is said of it."""
    assert read_features(tmp_path, manifest(tmp_path), 10) == ()
    assert caplog.records == []


@pytest.mark.parametrize("fault", ["gone", "changed", "unknown"])
def test_unreadable(tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """A baseline that can't be read, or isn't the published one, is done without, which is logged."""
    (tmp_path / BASELINE).write_bytes(
        b'{"rows": 5}' if fault == "unknown" else b'{"rows":1,"features":[]}'
    )
    published = manifest(tmp_path)
    if fault == "gone":
        (tmp_path / BASELINE).unlink()
    if fault == "changed":
        (tmp_path / BASELINE).write_bytes(b'{"rows":2,"features":[]}')
    with caplog.at_level(logging.WARNING):
        assert read_features(tmp_path, published, 10) == ()
    assert "m version 1: no drift: baseline.json" in caplog.text


@pytest.mark.parametrize(
    ("most", "kept"), [(1, [0]), (2, [0, 5]), (3, [0, 3, 6]), (9, [*range(9)][:9]), (10, [*range(10)])]
)
def test_spread(most: int, kept: list[int]) -> None:
    """Of too many features evenly spaced ones are kept, and that of the predictions besides."""
    features = tuple(Feature(name=f"x[{at}]", column=at, measure="number") for at in range(10))
    found = spread((*features, ANSWER), most)
    assert [each.column for each in found] == [*kept, PREDICTED]
