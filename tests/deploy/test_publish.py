"""Publishing: a version appears whole or not at all, is never changed, and can be served."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from skops.io import dump

from deploy import publish as module
from deploy.catalogue import read_catalogue
from deploy.errors import Refused
from deploy.publish import next_version, publish
from service.engine import dense
from service.manifest import BrokenVersion, verify
from service.rows import TableRows, TensorRows
from service.version import load_version
from tests.fakes import Obedient, Picky
from tests.published import LINE_SAMPLE, line, published, saved
from tests.service.replica_process import ROOT


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return where a registry will be."""
    return tmp_path / "registry"


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def versions(registry: Path) -> list[int]:
    """Return the numbers of the versions of `line`, as anybody finds them who looks."""
    return [entry.version for entry in read_catalogue(registry) if entry.model == "line"]


def refusal(registry: Path, model: Path, sample: Any = LINE_SAMPLE, **more: Any) -> str:
    """Return the sentence with which publishing is refused; nothing is in the registry afterwards."""
    with pytest.raises(Refused) as refused:
        publish(registry, model, "line", sample, **more)
    assert contents(registry) == {}
    assert versions(registry) == []
    return str(refused.value)


def test_published(registry: Path) -> None:
    """A version holds the model, the sample and a manifest that says all that was told, and loads."""
    manifest = published(
        registry, "line", line(2.0), description="doubles", metrics={"r2": 0.5, "mae": 1}
    )
    folder = registry / "line" / "1"
    files = {"manifest.json", "model.skops", "sample.npz", "linear.npz"}
    assert {path.name for path in folder.iterdir()} == files
    assert verify(folder) == manifest
    assert (manifest.name, manifest.version, manifest.engine) == ("line", 1, "linear")
    assert (manifest.description, manifest.metrics) == ("doubles", {"r2": 0.5, "mae": 1})
    assert set(manifest.libraries) == {"python", *module.LIBRARIES}
    answer = load_version(folder).engine.run(TensorRows(LINE_SAMPLE), ("predict",))["predict"]
    np.testing.assert_allclose(answer, 2 * LINE_SAMPLE.sum(axis=1))


def test_versions_are_immutable_and_grow(registry: Path) -> None:
    """Each publishing is a new number; what was published before isn't touched."""
    before: dict[str, bytes] = {}
    for number in (1, 2, 3):
        assert published(registry, "line").version == number
        now = contents(registry)
        assert now.items() >= before.items()
        before = now
    assert published(registry, "other").version == 1
    assert {path.name for path in (registry / "line").iterdir()} == {"1", "2", "3"}


def test_numbers_grow_after_the_largest(registry: Path) -> None:
    """A number is never given again while a larger one is there; other folders don't count."""
    for name in ("7", "10", "notes", "8.bak", ".publishing-x"):
        (registry / "line" / name).mkdir(parents=True)
    assert next_version(registry / "line") == 11
    assert published(registry, "line").version == 11


def test_same_files_have_the_same_digest(registry: Path) -> None:
    """The digest is that of the files: two versions of one model share cached rows, others don't."""
    model = saved(line(1.0), registry.parent)
    one, two = (publish(registry, model, "line", LINE_SAMPLE) for _ in range(2))
    other = published(registry, "line", line(2.0))
    assert one.digest == two.digest != other.digest


def test_concurrent_publishers(registry: Path) -> None:
    """Publishers at the same time get different numbers; nobody ever sees a part of a version."""
    seen: list[BrokenVersion] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for folder in registry.glob("line/[0-9]*"):
                try:
                    verify(folder)
                except BrokenVersion as error:
                    seen.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        model = saved(line(1.0), registry.parent)
        with ThreadPoolExecutor(6) as threads:
            jobs = [
                threads.submit(publish, registry, model, "line", LINE_SAMPLE, description=str(n))
                for n in range(12)
            ]
            manifests = [job.result() for job in jobs]
    finally:
        done.set()
        watcher.join()
    assert seen == []
    assert {each.version for each in manifests} == set(range(1, 13))
    for manifest in manifests:
        assert verify(registry / "line" / str(manifest.version)) == manifest
    assert {path.name for path in (registry / "line").iterdir()} == {str(n) for n in range(1, 13)}


# Dies without a word where the files are to be synced: everything is written, nothing renamed.
DIES = """
import os, signal, sys
from pathlib import Path
from deploy import publish
from tests.published import LINE_SAMPLE
publish._sync = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
publish.publish(Path(sys.argv[1]), Path(sys.argv[2]), "line", LINE_SAMPLE)
"""


def test_publisher_that_dies(registry: Path) -> None:
    """A publisher that is killed leaves nothing that counts as a version; the next one is version 1."""
    model = saved(line(1.0), registry.parent)
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(registry), str(model)], cwd=ROOT, check=False
    )
    assert died.returncode == -signal.SIGKILL
    (left,) = (registry / "line").iterdir()
    assert left.name.startswith(".publishing-")
    assert versions(registry) == []
    assert published(registry, "line").version == 1


def test_everything_is_synced_before_the_rename(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file and folder of a version is on disk for good before it has its name."""
    happened: list[str] = []
    rename = Path.rename
    monkeypatch.setattr(
        os, "fsync", lambda handle: happened.append(os.readlink(f"/proc/self/fd/{handle}"))
    )

    def note(path: Path, target: Path) -> Path:
        happened.append(f"rename to {target}")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", note)
    published(registry, "line")
    place = happened.index(f"rename to {registry / 'line' / '1'}")
    before, after = [Path(each).name for each in happened[:place]], happened[place + 1 :]
    assert set(before) == {"model.skops", "linear.npz", "sample.npz", "manifest.json", "version"}
    assert after == [str(registry / "line")]


@pytest.mark.parametrize("name", ["a", "A-b_c.d", "7", "x" * 64, "routes2", "Routes"])
def test_good_name(registry: Path, name: str) -> None:
    """A name of letters, digits, '.', '_' and '-' is taken."""
    assert published(registry, name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "routes",
        "../x",
        "a/b",
        "..",
        ".",
        ".hidden",
        "-x",
        "_x",
        "x" * 65,
        "ü",
        "a b",
        "a\n",
        "a:b",
        "a\0",
    ],
)
def test_bad_name(registry: Path, name: str) -> None:
    """A name that can't stand in a path or a URL, or that is the routes', is refused."""
    model = saved(line(1.0), registry.parent / "saved")
    with pytest.raises(Refused, match="can't be a model's name"):
        publish(registry, model, name, LINE_SAMPLE)
    assert not registry.exists()
    assert {path.name for path in registry.parent.iterdir()} == {"saved"}


class Spy:
    """Leaves a file behind when its pickle is opened."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".pickle"])
def test_pickle_needs_trust(registry: Path, suffix: str) -> None:
    """A pickle isn't even opened unless somebody vouches for it."""
    model, trace = registry.parent / f"model{suffix}", registry.parent / "opened"
    model.write_bytes(pickle.dumps(Spy(trace)))
    message = refusal(registry, model)
    assert "a pickle runs any code" in message
    assert "--trust" in message
    assert not trace.exists()
    with pytest.raises(Refused):
        publish(registry, model, "line", LINE_SAMPLE, trust_pickle=True)
    assert trace.exists(), "the spy works"


def test_trusted_pickle(registry: Path) -> None:
    """A pickle that somebody vouches for is published and served as it is."""
    model = registry.parent / "model.joblib"
    joblib.dump(line(3.0), model)
    manifest = publish(registry, model, "line", LINE_SAMPLE, trust_pickle=True)
    assert manifest.artifact == "model.joblib"
    loaded = load_version(registry / "line" / "1")
    answer = loaded.engine.run(TensorRows(LINE_SAMPLE), ("predict",))["predict"]
    np.testing.assert_allclose(answer, 3 * LINE_SAMPLE.sum(axis=1))


def test_untrusted_types_are_listed(registry: Path) -> None:
    """A skops file with types of one's own is refused with their names and the flags to trust them."""
    model = saved(Obedient().fit(LINE_SAMPLE), registry.parent)
    message = refusal(registry, model)
    assert "types that skops doesn't know: tests.fakes.Obedient" in message
    assert "--trust-type tests.fakes.Obedient" in message
    assert "tests.fakes.Obedient" in refusal(registry, model, trusted=["tests.fakes.Other"])
    manifest = publish(registry, model, "line", LINE_SAMPLE, trusted=["tests.fakes.Obedient"])
    assert manifest.trusted == ("tests.fakes.Obedient",)
    assert load_version(registry / "line" / "1").name == "line"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.skops", b"not a model", "can't be opened: "),
        ("model.skops", b"", "can't be opened: "),
        ("model.joblib", b"not a model", "can't be opened: "),
        ("model.onnx", b"", "a model is a .skops file, or with --trust a .joblib or .pkl file"),
        ("model.skops", None, "no such file"),
    ],
)
def test_not_a_model(registry: Path, name: str, content: bytes | None, message: str) -> None:
    """A file that is no model is refused by its name."""
    model = registry.parent / name
    if content is not None:
        model.write_bytes(content)
    assert refusal(registry, model, trust_pickle=True).startswith(f"{model}: {message}")


def test_wrong_width(registry: Path) -> None:
    """A sample that has the target among its columns is refused, and says so."""
    model = saved(line(1.0), registry.parent)
    sample = np.column_stack([LINE_SAMPLE, LINE_SAMPLE[:, 0]])
    assert "3 columns, the model takes 2; is the target among them?" in refusal(registry, model, sample)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_score_that_is_no_number(registry: Path, score: float) -> None:
    """A score that JSON can't say would make a manifest that nobody can read: refused."""
    model = saved(line(1.0), registry.parent)
    assert "metrics" in refusal(registry, model, metrics={"r2": score})


CITIES = pd.DataFrame(
    {
        "city": ["Rome", "Oslo", None] * 10,
        "size": [1.0, np.nan, 3.0, 4.0, 5.0] * 6,
        "rooms": range(30),
        "target": [0, 1] * 15,
    }
)


def table_model() -> Any:
    """Return a model of all columns of `CITIES` but the target."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=2))
    return model.fit(CITIES.drop(columns="target"), CITIES["target"])


def test_table_with_gaps_and_more_columns(registry: Path) -> None:
    """A data frame may have columns that the model doesn't know; gaps make columns nullable."""
    manifest = publish(
        registry,
        saved(table_model(), registry.parent),
        "cities",
        CITIES[["target", "rooms", "size", "city"]],
        trusted=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
    )
    inputs = [(each.name, each.dtype, each.nullable) for each in manifest.signature.inputs]
    assert inputs == [("city", "string", True), ("size", "float64", True), ("rooms", "float64", False)]
    rows = TableRows(manifest.signature, [("Rome", None, 1.0), (None, 2.0, 2.0)])
    answer = load_version(registry / "cities" / "1").engine.run(rows, ("predict_proba",))
    expected = table_model().predict_proba(
        pd.DataFrame({"city": ["Rome", None], "size": [None, 2.0], "rooms": [1, 2]})
    )
    np.testing.assert_array_equal(answer["predict_proba"], expected)


def test_model_that_works_only_on_the_sample_as_it_was(registry: Path) -> None:
    """A model that a replica couldn't feed is refused now, not when it is to answer."""
    frame = pd.DataFrame({"city": pd.Categorical(["Rome", "Oslo"] * 10), "size": np.arange(20.0)})
    model = registry.parent / "model.joblib"
    joblib.dump(Picky(), model)
    message = refusal(registry, model, frame, trust_pickle=True)
    assert message.startswith("no replica could serve it: warm-up failed: ")


@pytest.mark.parametrize(
    ("estimator", "output"),
    [
        (OneHotEncoder().fit(LINE_SAMPLE.round(-1)), "transform"),
        (KMeans(2, n_init=1, random_state=0).fit(LINE_SAMPLE), "transform"),
        (
            LogisticRegression().fit(
                LINE_SAMPLE, np.array(["low", "high"], dtype=object)[[0] * 5 + [1] * 5]
            ),
            "predict",
        ),
    ],
    ids=["sparse transform", "clusters", "strings as objects"],
)
def test_outputs_of_any_kind(registry: Path, estimator: Any, output: str) -> None:
    """Sparse, whole or object-typed: what a model gives is published and served as JSON takes it."""
    sample = LINE_SAMPLE.round(-1)
    dump(estimator, registry.parent / "model.skops")
    manifest = publish(registry, registry.parent / "model.skops", "any", sample)
    assert output in [each.name for each in manifest.signature.outputs]
    given = load_version(registry / "any" / "1").engine.run(TensorRows(sample), (output,))[output]
    expected = dense(getattr(estimator, output)(sample))
    assert given.tolist() == expected.tolist()
    assert list(given.shape[1:]) == list(manifest.signature.output(output).shape[1:])
