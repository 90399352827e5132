"""Manifests: written with the digests of all files; whatever differs later is found."""

import hashlib
import json
from pathlib import Path

import pytest

from deploy.compile.candidates import FOLDED
from service.manifest import (
    MANIFEST,
    BrokenVersion,
    file_digest,
    read_manifest,
    verify,
    version_digest,
    write_manifest,
)
from service.version import SAMPLE
from tests.fakes import PAIR
from tests.published import damage, published


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """Return the folder of a published version."""
    published(tmp_path / "registry", "line")
    return tmp_path / "registry" / "line" / "1"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A manifest is read as it was written, with the SHA-256 of each file."""
    (tmp_path / "model.skops").write_bytes(b"weights")
    written = write_manifest(
        tmp_path,
        name="m",
        version=3,
        created="2024-05-01T12:00:00+00:00",
        artifact="model.skops",
        signature=PAIR,
        metrics={"r2": 0.5},
        trusted=("a.B",),
    )
    assert read_manifest(tmp_path) == written
    assert written.files == {"model.skops": hashlib.sha256(b"weights").hexdigest()}
    assert written.digest == version_digest(written.files)


def test_digest_of_a_version() -> None:
    """A version's digest is that of its files' names and contents, in whatever order they come."""
    files = {"a": "1", "b": "2"}
    assert version_digest(files) == version_digest({"b": "2", "a": "1"})
    for other in ({"a": "2", "b": "1"}, {"a": "1"}, {"a": "1", "c": "2"}, {"a": "1", "b": "3"}):
        assert version_digest(other) != version_digest(files)


def test_manifest_from_before_folding(version: Path) -> None:
    """A version that was published before an entry existed is read with that entry's default."""
    entries = json.loads((version / MANIFEST).read_bytes())
    assert entries["compilation"].pop("folded") == FOLDED
    (version / MANIFEST).write_text(json.dumps(entries))
    assert verify(version).compilation.folded == ""


def test_untouched_version(version: Path) -> None:
    """A version that is as it was published passes."""
    manifest = verify(version)
    assert set(manifest.files) == {"model.skops", FOLDED, SAMPLE}
    for name, digest in manifest.files.items():
        assert file_digest(version / name) == digest


@pytest.mark.parametrize("name", ["model.skops", FOLDED, SAMPLE])
def test_changed_file(version: Path, name: str) -> None:
    """One changed byte in any file is found, and the file is named."""
    damage(version / name)
    with pytest.raises(BrokenVersion, match=rf"^{name}: its SHA-256 is \w+…, the manifest says \w+…$"):
        verify(version)


@pytest.mark.parametrize("name", ["model.skops", FOLDED, SAMPLE, MANIFEST])
def test_missing_file(version: Path, name: str) -> None:
    """A missing file is named."""
    (version / name).unlink()
    with pytest.raises(BrokenVersion, match=f"^{name}: No such file"):
        verify(version)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"name": 5}', b'{"name": "\xff"}', b"\xff\xfe", b"\0" * 100],
)
def test_unreadable_manifest(version: Path, content: bytes) -> None:
    """A manifest that is no manifest breaks its own version only, with a sentence."""
    (version / MANIFEST).write_bytes(content)
    with pytest.raises(BrokenVersion, match=f"^{MANIFEST}: "):
        verify(version)


def test_forged_list_of_files(version: Path) -> None:
    """A file and its digest in the manifest, changed together, still don't pass."""
    (version / "model.skops").write_bytes(b"another model")
    entries = json.loads((version / MANIFEST).read_bytes())
    entries["files"]["model.skops"] = file_digest(version / "model.skops")
    (version / MANIFEST).write_text(json.dumps(entries))
    with pytest.raises(BrokenVersion, match="the digest doesn't match the list of files"):
        verify(version)


@pytest.mark.parametrize("elsewhere", ["line/2", "other/1"])
def test_version_in_another_place(version: Path, elsewhere: str) -> None:
    """A version that was copied to another number or name would answer under a wrong one: refused."""
    place = version.parents[1] / elsewhere
    place.parent.mkdir(exist_ok=True)
    version.rename(place)
    with pytest.raises(BrokenVersion, match="it is the one of line version 1"):
        verify(place)
