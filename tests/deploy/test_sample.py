"""Samples: files become rows as scikit-learn takes them, kept so that replicas can read them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deploy.errors import Refused
from deploy.sample import Sample, read_sample, write_sample
from service import version
from service.signature import Signature, Tensor

OUTPUTS = (Tensor("predict", "int64"),)
TABLE = Signature(
    "table",
    (
        Tensor("size", "float64", nullable=True),
        Tensor("city", "string", nullable=True),
        Tensor("new", "bool"),
    ),
    OUTPUTS,
)


def written(path: Path, content: Any) -> Path:
    """Write bytes, or arrays by name, and return the path."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    return path


def equal(one: Sample, other: Any) -> bool:
    """Compare two samples, kind and all."""
    if isinstance(other, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    if isinstance(other, np.ndarray):
        np.testing.assert_array_equal(one, other, strict=True)
        return True
    return one == other


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"x,y\n1,a\n2,\n", pd.DataFrame({"x": [1, 2], "y": ["a", None]}, dtype=None)),
        ("a.npz", {"x": np.eye(2)}, np.eye(2)),
        ("a.npz", {"t": np.array(["a", "b"])}, ["a", "b"]),
        ("a.npz", {"x": np.ones(2), "y": np.zeros(2)}, pd.DataFrame({"x": [1.0, 1], "y": [0.0, 0]})),
        ("a.jsonl", b'"a"\n"b \\u00fc"\n', ["a", "b ü"]),
        ("a.jsonl", b"[1, 2]\n[3, null]\n\n", np.array([[1, 2], [3, np.nan]])),
        (
            "a.jsonl",
            b'{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}',
            pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}),
        ),
    ],
)
def test_read(tmp_path: Path, name: str, content: Any, expected: Any) -> None:
    """CSV is a table; NPZ a matrix, texts or a table; JSONL texts, a matrix or a table."""
    assert equal(read_sample(written(tmp_path / name, content)), expected)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"", "a sample is a .csv, .npz, .jsonl file"),
        ("a.csv", b"", "No columns to parse"),
        ("a.csv", b"x,y\n", "it has no rows; a few hundred typical ones are best"),
        ("a.csv", b"\xff\xfe\x00", "can't decode"),
        ("a.npz", b"not a zip", ""),
        ("a.npz", {"x": np.empty((0, 2))}, "it has no rows"),
        ("a.npz", {"x": np.ones(2), "y": np.zeros(3)}, "All arrays must be of the same length"),
        ("a.npz", {"x": np.array([{}])}, "Object arrays cannot be loaded"),
        ("a.jsonl", b"", "it has no rows"),
        ("a.jsonl", b"{", "Input data was truncated"),
        ("a.jsonl", b'"a"\n[1]\n', "its lines mix strings, objects and lists; expected one kind"),
        ("a.jsonl", b"[1, 2]\n[3]\n", "inhomogeneous"),
        ("a.jsonl", b'["a"]\n', "could not convert string to float"),
    ],
)
def test_unreadable(tmp_path: Path, name: str, content: Any, message: str) -> None:
    """A file that can't be understood is refused by its name, with the reason."""
    path = written(tmp_path / name, content)
    with pytest.raises(Refused) as refused:
        read_sample(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that isn't there is refused by its name."""
    for name in ("a.csv", "a.npz", "a.jsonl"):
        with pytest.raises(Refused, match=rf"{name}: .*No such file"):
            read_sample(tmp_path / name)


def kept(sample: Sample, signature: Signature, folder: Path) -> Any:
    """Write a sample as publishing does and read it as a replica does."""
    write_sample(sample, signature, folder / version.SAMPLE)
    return version.read_sample(folder / version.SAMPLE, signature).model_input()


@pytest.mark.parametrize(
    ("sample", "signature"),
    [
        (
            np.array([[1.5, np.nan]]),
            Signature("tensor", (Tensor("x", "float64", (-1, 2), nullable=True),), OUTPUTS),
        ),
        (["a", "", "ü"], Signature("text", (Tensor("text", "string"),), OUTPUTS)),
        (pd.DataFrame({"size": [1.0, np.nan], "city": ["Rome", "Oslo"], "new": [True, False]}), TABLE),
    ],
)
def test_kept(tmp_path: Path, sample: Sample, signature: Signature) -> None:
    """A replica reads the rows that were given to publishing."""
    assert equal(kept(sample, signature, tmp_path), sample)


def test_rows_that_lack_a_string_are_left_out(tmp_path: Path) -> None:
    """Only numbers have NaN to stand for a gap: rows with another gap aren't kept."""
    sample = pd.DataFrame(
        {"size": [1.0, 2.0, np.nan], "city": ["Rome", None, "Oslo"], "new": [True, True, False]}
    )
    assert kept(sample, TABLE, tmp_path)["city"].tolist() == ["Rome", "Oslo"]


def test_rows_that_lack_a_boolean_are_left_out(tmp_path: Path) -> None:
    """The same for booleans."""
    signature = Signature("table", (Tensor("new", "bool", nullable=True),), OUTPUTS)
    sample = pd.DataFrame({"new": pd.array([True, None, False], dtype="boolean")})
    assert kept(sample, signature, tmp_path)["new"].tolist() == [True, False]


def test_no_complete_row(tmp_path: Path) -> None:
    """A sample of which nothing could be kept is refused, with the columns that have gaps."""
    sample = pd.DataFrame({"size": [1.0], "city": [None], "new": [True]})
    with pytest.raises(Refused, match="no row in which each of city is filled"):
        write_sample(sample, TABLE, tmp_path / version.SAMPLE)
