"""Routes: which versions answer for a model. Changed by one command at a time, checked before.

How a route lies on disk is a matter of `generations.py`; `rollout.py` changes one while it is in use.
"""

import fcntl
import getpass
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from deploy.errors import Refused, writing
from deploy.routing.changes import Draft, activated
from deploy.routing.generations import current_route, write_route
from service.manifest import MODEL_NAME, BrokenVersion, Manifest, verify
from service.versions.route import ROUTES, Route


@contextmanager
def locked(registry: Path, model: str, wait: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Let one command at a time change a model's route, and give its folder.

    `wait` is called before another command is waited for. Raises `Refused` where no such model is.
    """
    shelf = registry / ROUTES / model
    known = re.fullmatch(MODEL_NAME, model) and model != ROUTES
    # A route stands without its model's folder, which somebody may have deleted.
    if not known or not ((registry / model).is_dir() or shelf.is_dir()):
        raise Refused(f"no model {model!r} in {registry}; flotilla models shows what is published")
    with writing(registry):
        shelf.mkdir(parents=True, exist_ok=True)
    with writing(shelf), (shelf / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield shelf


def check(registry: Path, model: str, version: str | int) -> Manifest:
    """Return the manifest of a version; raise `Refused` where its files aren't what was published."""
    try:
        return verify(registry / model / str(version))
    except BrokenVersion as error:
        raise Refused(f"{model} version {version} can't be served: {error}") from error


def routed(registry: Path, model: str) -> bool:
    """Tell whether the model has a route that nginx and the replicas can read."""
    return current_route(registry / ROUTES / model) is not None


def activate(
    registry: Path, model: str, version: int, reason: str, edge_cache: bool | None = None
) -> Route:
    """Route all requests for `model` to `version`, waiting for nobody; for models not yet served.

    Raises `Refused` and changes nothing if it's broken. `edge_cache` of None leaves it as it is, which
    is on in a model's first route.
    """
    manifest = check(registry, model, version)
    with locked(registry, model) as shelf:
        before = current_route(shelf)
        draft = activated(before, str(version), edge_cache)
        route = finished(draft, {str(version): manifest.digest[:16]}, "activate", reason)
        write_route(shelf, route)
    return route


def finished(draft: Draft, digests: Mapping[str, str], command: str, reason: str) -> Route:
    """Return the route of a draft: by whom it is made, when and why.

    `digests` has the first 16 characters of each version's digest.
    """
    return Route(
        weights=dict(draft.weights),
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        user=_user(),
        reason=reason,
        command=command,
        edge_cache=draft.edge_cache,
        shadow=draft.shadow,
        pins=dict(draft.pins),
        digests={version: digests[version] for version in sorted(draft.versions, key=int)},
        fallbacks=draft.fallbacks,
        breached=draft.breached,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())
