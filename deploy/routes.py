"""Routes: which version answers for a model. A generation is written, then one rename makes it live.

nginx resolves `routes/{model}/current` at each request and replicas read the same link, so
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
from service.manifest import BrokenVersion, Manifest, verify
from service.registry import GENERATION, ROUTES


class Route(Struct, frozen=True):
    """What a generation says: the share of each version in percent, when, who and why.

    `edge_cache` tells whether nginx may keep its answers.
    """

    weights: dict[str, float]
    time: str
    user: str
    reason: str
    edge_cache: bool = True


def activate(
    registry: Path, model: str, version: int, reason: str, edge_cache: bool | None = None
) -> Route:
    """Send all requests for `model` to `version`; raise `Refused` and change nothing if it's broken.

    `edge_cache` of None leaves it as it is, which is on in a model's first route.
    """
    manifest = check(registry, model, version)
    shelf = registry / ROUTES / model
    with writing(registry):
        shelf.mkdir(parents=True, exist_ok=True)
    with writing(shelf), _locked(shelf):
        if edge_cache is None:
            edge_cache = read_route(shelf).edge_cache if routed(registry, model) else True
        route = Route(
            weights={str(version): 100.0},
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            user=_user(),
            reason=reason,
            edge_cache=edge_cache,
        )
        _write_generation(shelf, route, _target(manifest, edge_cache))
    return route


def read_route(shelf: Path) -> Route:
    """Return the route in force of a model with one."""
    return msgspec.json.decode((shelf / "current" / "route.json").read_bytes(), type=Route)


def _target(manifest: Manifest, edge_cache: bool) -> str:
    """Return the end of a generation's name, in which nginx reads all it has to know."""
    return f"{manifest.version}.{manifest.digest[:16]}{'.edge' if edge_cache else ''}"


def check(registry: Path, model: str, version: int) -> Manifest:
    """Return the manifest of a version; raise `Refused` where its files aren't what was published."""
    try:
        return verify(registry / model / str(version))
    except BrokenVersion as error:
        raise Refused(f"{model} version {version} can't be served: {error}") from error


def routed(registry: Path, model: str) -> bool:
    """Tell whether the model has a route that nginx and the replicas can read."""
    current = registry / ROUTES / model / "current"
    return current.is_symlink() and bool(GENERATION.fullmatch(current.readlink().name))


def _write_generation(shelf: Path, route: Route, target: str) -> None:
    """Write the next generation's folder, then let `current` point to it, all at once."""
    found = (GENERATION.fullmatch(each.name) for each in shelf.iterdir())
    last = max((int(name["number"]) for name in found if name), default=0)
    generation = shelf / f"{last + 1:06d}-{target}"
    generation.mkdir()
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
