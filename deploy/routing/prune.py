"""Retention: old versions that nobody can need are deleted; the rest stays, with the reason."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Refused, writing
from deploy.routing.generations import current_route
from deploy.routing.routes import locked
from service.versions.route import ROUTES, read_staged

# What a publisher that was killed has left behind; one that still works is not as old.
ABANDONED_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Pruned:
    """What was deleted, and why which versions stay."""

    deleted: list[str]
    kept: dict[str, str]
    abandoned: int


def prune(registry: Path, model: str, keep: int, dry_run: bool = False) -> Pruned:
    """Delete all but a model's newest `keep` versions (at least 1), and those that its route needs.

    A version is renamed before it is deleted, so that nobody meets half of one. Raises `Refused` for
    a model that isn't there.
    """
    shelf = registry / model
    if model == ROUTES or not shelf.is_dir():
        raise Refused(f"no model {model!r} in {registry}")
    with locked(registry, model) as routes, writing(shelf):
        versions = sorted(
            (each.name for each in shelf.glob("[0-9]*") if each.name.isdecimal()), key=int
        )
        kept = dict.fromkeys(versions[-keep:], "among the newest")
        kept |= {version: why for version, why in _needed(routes).items() if version in versions}
        deleted = [version for version in versions if version not in kept]
        abandoned = _abandoned(shelf)
        if not dry_run:
            for version in deleted:
                _delete(shelf / version)
            for folder in abandoned:
                shutil.rmtree(folder)
    return Pruned(deleted, kept, len(abandoned))


def _needed(routes: Path) -> dict[str, str]:
    """Return the versions that a model's route needs, and what for."""
    needed = {}
    current = current_route(routes)
    if current:
        route = current[1]
        if route.fallback:
            needed[route.fallback.version] = "rollback returns to it"
        if route.shadow:
            needed[route.shadow] = "shadow"
        needed |= dict.fromkeys(route.answering, "routed")
    staged = read_staged(routes)
    if staged:
        needed |= dict.fromkeys(staged.versions, "being routed")
    return needed


def _abandoned(shelf: Path) -> list[Path]:
    """Return what killed commands have left in a model's folder."""
    return [
        each
        for pattern in (".publishing-*", ".pruned-*")
        for each in shelf.glob(pattern)
        if time.time() - each.stat().st_mtime > ABANDONED_SECONDS
    ]


def _delete(folder: Path) -> None:
    aside = folder.with_name(f".pruned-{folder.name}")
    folder.rename(aside)
    shutil.rmtree(aside)
