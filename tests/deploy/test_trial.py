"""A version on trial: what is wrong with it is one sentence, and only one that was loaded passes."""

import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import msgspec
import pytest

from deploy.errors import Refused
from deploy.publish import publish
from deploy.trial import try_version
from service.manifest import MANIFEST, read_manifest, write_manifest
from tests.published import LINE_SAMPLE, damage, line, published

PATIENCE_SECONDS = 60.0


class Opened:
    """What calls a function as soon as its pickle is opened."""

    def __init__(self, call: Callable[..., Any], *words: Any) -> None:
        self._made = (call, words)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return what the pickle does when it is opened."""
        return self._made


def fail_in_lines() -> None:
    """Raise an error of several lines."""
    raise RuntimeError("it lacks\n  this\n  and that")


def say_bytes_and_leave() -> None:
    """Write what isn't UTF-8 to stderr, and end the process."""
    os.write(2, b"lib\xff: can't go on\n")
    os._exit(3)


@pytest.fixture
def _no_core_file() -> Iterator[None]:
    """Let a process that crashes leave no file."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def version(registry: Path, call: Callable[..., Any], *words: Any) -> Path:
    """Publish a pickle that is right in every way, but calls a function when it is opened."""
    model = registry.parent / "model.joblib"
    joblib.dump(line(1.0), model)
    publish(registry, model, "pickled", LINE_SAMPLE, trust_pickle=True, engine="sklearn")
    folder = registry / "pickled" / "1"
    (folder / "model.joblib").write_bytes(pickle.dumps(Opened(call, *words)))
    entries = msgspec.structs.asdict(read_manifest(folder))
    (folder / MANIFEST).unlink()
    write_manifest(folder, **{k: v for k, v in entries.items() if k not in ("files", "digest")})
    return folder


def refusal(folder: Path, seconds: float = PATIENCE_SECONDS) -> str:
    """Return why a version doesn't pass."""
    with pytest.raises(Refused) as refused:
        try_version(folder, seconds)
    return str(refused.value)


def test_good_versions(tmp_path: Path) -> None:
    """A version that can be opened passes: compiled, and a pickle."""
    registry = tmp_path / "registry"
    published(registry, "line")
    try_version(registry / "line" / "1", PATIENCE_SECONDS)
    try_version(version(registry, line, 2.0), PATIENCE_SECONDS)


def test_wrong_digest(tmp_path: Path) -> None:
    """A version whose file was changed is refused before it is opened."""
    registry = tmp_path / "registry"
    published(registry, "line")
    damage(registry / "line" / "1" / "model.skops")
    assert refusal(registry / "line" / "1").startswith(
        "line version 1 can't be served: model.skops: its SHA-256 is "
    )


def test_missing_version(tmp_path: Path) -> None:
    """A version that isn't there is refused."""
    said = refusal(tmp_path / "line" / "7")
    assert said == "line version 7 can't be served: manifest.json: No such file or directory"


@pytest.mark.parametrize(
    ("call", "words", "said"),
    [
        (int, ("x",), "model.joblib: ValueError: invalid literal for int() with base 10: 'x'"),
        (fail_in_lines, (), "model.joblib: RuntimeError: it lacks this and that"),
        (dict, (), "warm-up failed: AttributeError: 'dict' object has no attribute 'predict'"),
        (os._exit, (3,), "loading it ended the process with exit code 3: it said nothing"),
        (os._exit, (0,), "loading it ended the process with exit code 0: it said nothing"),
        (sys.exit, (), "loading it ended the process with exit code 0: it said nothing"),
        (
            say_bytes_and_leave,
            (),
            "loading it ended the process with exit code 3: lib\N{REPLACEMENT CHARACTER}: can't go on",
        ),
    ],
)
def test_model_that_fails(
    tmp_path: Path, call: Callable[..., Any], words: tuple[Any, ...], said: str
) -> None:
    """A model that raises, or ends the process in whatever way, is refused with its own last words."""
    folder = version(tmp_path / "registry", call, *words)
    assert refusal(folder) == f"pickled version 1 can't be served: {said}"


@pytest.mark.usefixtures("_no_core_file")
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_model_that_crashes(tmp_path: Path, number: signal.Signals) -> None:
    """A model that brings down the process, as a broken library or little memory does, is named."""
    folder = version(tmp_path / "registry", signal.raise_signal, number)
    assert refusal(folder) == (
        f"pickled version 1 can't be served: loading it ended the process with {number.name}: "
        "a library crashed, or there is too little memory"
    )


def test_model_that_hangs(tmp_path: Path) -> None:
    """A model that isn't loaded in time is refused, and its process doesn't stay."""
    marker = tmp_path / "pid"
    program = (
        "import os, pathlib, time; "
        f"pathlib.Path({str(marker)!r}).write_text(str(os.getpid())); time.sleep(600)"
    )
    folder = version(tmp_path / "registry", exec, program)
    assert refusal(folder, 2.0) == "pickled version 1 can't be served: it wasn't loaded within 2 s"
    if marker.exists():  # on a slow machine it didn't come so far
        with pytest.raises(ProcessLookupError):
            os.kill(int(marker.read_text()), 0)
