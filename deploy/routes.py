"""Routes: which version answers for a model. A generation is written, then one rename makes it live.

nginx resolves `routes/{model}/current/{bucket}` at each request and replicas read the same link, so
there is one place where a version is chosen. Generations are kept: they are the history.
"""

import fcntl
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from deploy.errors import Refused, writing
from service.manifest import BrokenVersion, verify
from service.registry import ROUTES

BUCKETS = ("0",)


class Route(Struct, frozen=True):
    """What a generation says: the share of each version in percent, when, who and why."""

    weights: dict[str, float]
    time: str
    user: str
    reason: str


def activate(registry: Path, model: str, version: int, reason: str) -> Route:
    """Send all requests for `model` to `version`; raise `Refused` and change nothing if it's broken."""
    check(registry, model, version)
    route = Route(
        weights={str(version): 100.0},
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        user=_user(),
        reason=reason,
    )
    shelf = registry / ROUTES / model
    with writing(registry):
        shelf.mkdir(parents=True, exist_ok=True)
    with writing(shelf), _locked(shelf):
        _write_generation(shelf, route, {bucket: str(version) for bucket in BUCKETS})
    return route


def check(registry: Path, model: str, version: int) -> None:
    """Raise `Refused` where a version isn't there or its files aren't what was published."""
    try:
        verify(registry / model / str(version))
    except BrokenVersion as error:
        raise Refused(f"{model} version {version} can't be served: {error}") from error


def routed(registry: Path, model: str) -> bool:
    """Tell whether the model has a route."""
    return (registry / ROUTES / model / "current").is_symlink()


def _write_generation(shelf: Path, route: Route, versions: dict[str, str]) -> None:
    """Write the next generation's folder, then let `current` point to it, all at once."""
    last = max((int(each.name) for each in shelf.glob("[0-9]*")), default=0)
    generation = shelf / f"{last + 1:06d}"
    generation.mkdir()
    for bucket, version in versions.items():
        # A folder of its own, so that the route stands even if somebody deletes the version's.
        (shelf / "versions" / version).mkdir(parents=True, exist_ok=True)
        (generation / bucket).symlink_to(Path("..", "versions", version))
    (generation / "route.json").write_bytes(msgspec.json.encode(route) + b"\n")
    pointer = shelf / ".current"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(generation.name)
    pointer.rename(shelf / "current")


@contextmanager
def _locked(shelf: Path) -> Iterator[None]:
    """Let one command at a time change a route."""
    with (shelf / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())
