"""A version in memory: verified, opened and warmed up, or refused."""

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from service.manifest import BrokenVersion, read_manifest, write_manifest
from service.rows import TableRows, TensorRows, TextRows
from service.version import SAMPLE, WARM_UP_ROWS, load_version, read_sample
from tests.fakes import BREAK, Obedient
from tests.published import LINE_SAMPLE, damage, published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return an empty registry."""
    return tmp_path / "registry"


def test_loaded(registry: Path) -> None:
    """A loaded version knows its name, number and signature, and answers."""
    manifest = published(registry, "line")
    version = load_version(registry / "line" / "1")
    assert (version.name, version.number, version.signature) == ("line", "1", manifest.signature)
    answer = version.engine.run(TensorRows(LINE_SAMPLE), ("predict",))["predict"]
    np.testing.assert_allclose(answer, LINE_SAMPLE.sum(axis=1))


def test_nothing_is_opened_before_it_is_verified(registry: Path) -> None:
    """A file that isn't what was published is refused for its digest, not for what opening it does."""
    published(registry, "line")
    damage(registry / "line" / "1" / "model.skops")
    with pytest.raises(BrokenVersion, match="SHA-256"):
        load_version(registry / "line" / "1")


def forge(folder: Path, **entries: object) -> None:
    """Write a manifest that fits the files in a folder, with other entries."""
    manifest = msgspec.structs.asdict(read_manifest(folder)) | entries
    (folder / "manifest.json").unlink()
    for computed in ("files", "digest"):
        del manifest[computed]
    write_manifest(folder, **manifest)


def test_warm_up_fails(registry: Path) -> None:
    """A model that fails on its own sample is refused before anybody asks it."""
    published(registry, "told", Obedient().fit(LINE_SAMPLE), trusted=["tests.fakes.Obedient"])
    folder = registry / "told" / "1"
    sample = np.full((3, 2), BREAK)
    np.savez_compressed(folder / SAMPLE, x=sample)
    forge(folder)
    with pytest.raises(BrokenVersion, match=r"^warm-up failed: RuntimeError: broken"):
        load_version(folder)


def test_untrusted_type(registry: Path) -> None:
    """A manifest that doesn't trust a type of the model keeps it from being opened."""
    published(registry, "told", Obedient().fit(LINE_SAMPLE), trusted=["tests.fakes.Obedient"])
    folder = registry / "told" / "1"
    assert load_version(folder).name == "told"
    forge(folder, trusted=())
    with pytest.raises(BrokenVersion, match=r"^model\.skops: .*Obedient"):
        load_version(folder)


def test_sample_of_each_kind(registry: Path) -> None:
    """The sample comes back as rows of the model's kind, as many as asked for, gaps included."""
    texts = ["good morning", "buy now", ""] * 5
    published(registry, "texts", TfidfVectorizer().fit(texts), texts)
    table = pd.DataFrame({"size": [1.0, np.nan, 3.0] * 5, "rooms": [1, 2, 3] * 5})
    published(registry, "table", StandardScaler().fit(table), table)
    published(registry, "line")

    read = {}
    for name in ("texts", "table", "line"):
        folder = registry / name / "1"
        signature = read_manifest(folder).signature
        read[name] = read_sample(folder / SAMPLE, signature)
        assert len(read_sample(folder / SAMPLE, signature, WARM_UP_ROWS)) == WARM_UP_ROWS
    assert isinstance(read["texts"], TextRows)
    assert read["texts"].values == texts
    assert isinstance(read["table"], TableRows)
    pd.testing.assert_frame_equal(read["table"].model_input(), table.astype("float64"))
    assert isinstance(read["line"], TensorRows)
    np.testing.assert_array_equal(read["line"].values, LINE_SAMPLE)
