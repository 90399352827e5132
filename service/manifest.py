"""A published version on disk: manifest.json says what it is, and every file is checked against it.

Written by `deploy.publish`, read by a replica before anything of the version is opened.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from service.signature import Signature

MANIFEST = "manifest.json"
MODEL_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


class BrokenVersion(Exception):  # noqa: N818  # named after what it is
    """A version that must not be served: files missing, changed, or unreadable."""


class Graph(Struct, frozen=True):
    """A file that ONNX Runtime runs, and which of its tensors each output of the signature is."""

    file: str
    tensors: dict[str, str]


class Parity(Struct, frozen=True, kw_only=True):
    """How the compiled model's answers compare with scikit-learn's, on the sample and beside it.

    A difference is absolute below 1 and relative above it.
    """

    rows: int
    largest_difference: float
    tolerance: float
    problem: str = ""


class Compilation(Struct, frozen=True, kw_only=True):
    """Why this engine serves. `factor`: how many times as fast as scikit-learn it answers one row.

    `timings_us` holds for each engine the microseconds of a call by the number of its rows; where
    scikit-learn serves, `factor` and `parity` are those of the fastest other one. `graphs` are for
    `onnx`, whose texts are lower-cased first if `lowercase` says so; `folded` is the file for
    `linear`.
    """

    reason: str = ""
    factor: float | None = None
    parity: Parity | None = None
    timings_us: dict[str, dict[int, float]] = {}
    graphs: tuple[Graph, ...] = ()
    lowercase: bool = False
    folded: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything that is known of one version of a model."""

    name: str
    version: int
    created: str
    description: str = ""
    digest: str
    files: dict[str, str]
    artifact: str
    trusted: tuple[str, ...] = ()
    engine: str = "sklearn"
    compilation: Compilation = Compilation()
    signature: Signature
    metrics: dict[str, float] = {}
    libraries: dict[str, str] = {}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def version_digest(files: dict[str, str]) -> str:
    """Return one SHA-256 over the names and digests of a version's files."""
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the version in `folder`; raise `BrokenVersion` where that can't be done."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        raise BrokenVersion(f"{MANIFEST}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenVersion(f"{MANIFEST}: {error}") from error


def verify(folder: Path) -> Manifest:
    """Read the manifest, check that it is this version's, and every file it names.

    Raises `BrokenVersion` if one differs.
    """
    manifest = read_manifest(folder)
    if (manifest.name, str(manifest.version)) != (folder.parent.name, folder.name):
        raise BrokenVersion(f"{MANIFEST}: it is the one of {manifest.name} version {manifest.version}")
    for name, expected in manifest.files.items():
        try:
            found = file_digest(folder / name)
        except OSError as error:
            raise BrokenVersion(f"{name}: {error.strerror}") from error
        if found != expected:
            raise BrokenVersion(
                f"{name}: its SHA-256 is {found[:12]}…, the manifest says {expected[:12]}…"
            )
    if version_digest(manifest.files) != manifest.digest:
        raise BrokenVersion(f"{MANIFEST}: the digest doesn't match the list of files")
    return manifest


def write_manifest(folder: Path, **entries: Any) -> Manifest:
    """Write the manifest for the files that are in `folder`, digests included, and read it back."""
    files = {each.name: file_digest(each) for each in sorted(folder.iterdir())}
    manifest = Manifest(files=files, digest=version_digest(files), **entries)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(encoded + b"\n")
    return read_manifest(folder)
