"""A registry of the models `a` and `b`, the follower of a replica, and what it told."""

import shutil
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import joblib
import msgspec
import numpy as np

from deploy.publish import next_version
from deploy.routing.changes import Draft
from deploy.routing.generations import write_route
from deploy.routing.routes import check, finished, locked
from service.manifest import read_manifest, write_manifest
from service.rows import TensorRows
from service.version import SAMPLE, LoadedVersion
from service.versions.follower import Follower
from service.versions.load_mark import LoadMark
from service.versions.registry import Registry
from service.versions.route import ROUTES, STAGED, Fallback, Staged


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Followed:
    """A copy of `lines` (`tests.service.conftest`), and what follows it."""

    def __init__(self, folder: Path, most: int = 32, mark: LoadMark | None = None) -> None:
        self.folder = folder
        self.loads: Counter[str] = Counter()
        self.told: list[dict[str, str]] = []
        self.registry = Registry()
        self.follower = Follower(
            folder, self.registry, most, mark or LoadMark(), self._count, self._note
        )
        self.follow = self.follower.follow

    def _count(self, version: LoadedVersion) -> None:
        self.loads[f"{version.name}/{version.number}"] += 1

    def _note(self, registry: Registry) -> None:
        self.told.append(registry.missing())

    def route(self, name: str, *weights: float, **more: object) -> None:
        """Route shares of the versions 1, 2 and so on, with shadow, pins and fallback as in `Draft`."""
        shares = {str(number): weight for number, weight in enumerate(weights, 1) if weight}
        route_to(self.folder, name, shares, **more)

    def held(self) -> set[str]:
        """Return what is loaded, as 'model/version'."""
        return {"/".join(key) for key in self.registry.held()}

    def reason(self, name: str, version: str) -> str:
        """Return why a version is refused, nothing if it isn't."""
        return self.registry.refused.get((name, version), "")


def copied(registry: Path, to: Path) -> Path:
    """Copy a registry, and return the folder that may be changed."""
    shutil.copytree(registry, to, symlinks=True)
    return to


def route_to(
    registry: Path,
    model: str,
    weights: Mapping[str, float],
    *,
    shadow: str = "",
    pins: Mapping[str, str] | None = None,
    fallback: str = "",
) -> None:
    """Route a model as a command does, but without its checks of a whole rollout."""
    draft = Draft(
        weights,
        shadow=shadow,
        pins=pins or {},
        fallbacks=(Fallback(1, fallback),) if fallback else (),
    )
    digests = {version: check(registry, model, version).digest[:16] for version in draft.versions}
    with locked(registry, model) as shelf:
        write_route(shelf, finished(draft, digests, "test", "test"))


def stage(registry: Path, model: str, *versions: str, command: str = "a-command") -> Path:
    """Wish for versions as a command does, and return the file that says so."""
    path = registry / ROUTES / model / STAGED
    path.write_bytes(msgspec.json.encode(Staged(versions, command, time.time() + 600)))
    return path


def answer(version: LoadedVersion) -> float:
    """Return what a line of `tests.published` gives for (1, 0): its slope, which is its number."""
    return round(version.engine.run(TensorRows(np.array([[1.0, 0.0]])), ("predict",))["predict"][0], 6)


class Deadly:
    """Ends the process that unpickles it, as a library does that reads past its memory."""

    def __reduce__(self) -> tuple[object, ...]:
        """Return what unpickling calls: a signal for the own process."""
        return signal.raise_signal, (signal.SIGSEGV,)


def publish_deadly(registry: Path, name: str) -> str:
    """Publish a version of a line that ends whatever process opens it; return its number.

    Without `deploy.publish`, which opens it.
    """
    shelf = registry / name
    number = next_version(shelf)
    folder = shelf / str(number)
    folder.mkdir()
    shutil.copyfile(shelf / "1" / SAMPLE, folder / SAMPLE)
    joblib.dump(Deadly(), folder / "model.joblib")
    write_manifest(
        folder,
        name=name,
        version=number,
        created="2026-01-01T00:00:00+00:00",
        artifact="model.joblib",
        signature=read_manifest(shelf / "1").signature,
    )
    return str(number)
