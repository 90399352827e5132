"""Generations: how a route lies on disk. One is written, then one rename makes it the one in force.

nginx resolves `routes/{model}/current` at each request and replicas read the same link, so
there is one place where a version is chosen. Generations are kept: they are the history.
"""

import os
import shutil
from pathlib import Path

import msgspec

from deploy.routing.buckets import BUCKETS, NAMES, assign
from service.versions.route import CURRENT, GENERATION, Route, generation_of, read_route

# A request that nginx is just resolving may still need the links of a generation before.
LINKED_GENERATIONS = 8
WITHDRAWN = "withdrawn"


def current_route(shelf: Path) -> tuple[int, Route] | None:
    """Return number and route of the generation in force, None where there is none that can be read."""
    generation = generation_of(shelf)
    if generation is None:
        return None
    try:
        return int(generation["number"]), read_route(shelf, generation[0])
    except (OSError, ValueError):
        return None


def generations(shelf: Path) -> list[tuple[int, Path]]:
    """Return the number and folder of every generation, the oldest first."""
    found = ((GENERATION.fullmatch(each.name), each) for each in shelf.glob("[0-9]*"))
    return sorted((int(match["number"]), folder) for match, folder in found if match)


def write_route(shelf: Path, route: Route) -> int:
    """Write the next generation and make it the one in force, all at once; return its number.

    To be called with the lock held.
    """
    past = generations(shelf)
    in_force = (shelf / CURRENT).resolve().name
    number = past[-1][0] + 1 if past else 1
    targets = {version: _target(version, route) for version in route.answering}
    name = targets[route.primary] if route.settled else "split"
    generation = shelf / f"{number:06d}-{name}"
    buckets = [] if route.settled else assign(route.weights, _buckets_before(shelf))
    generation.mkdir()
    (generation / "route.json").write_bytes(msgspec.json.encode(route) + b"\n")
    if not route.settled:
        for target in targets.values():
            (generation / target).mkdir()
        for bucket, version in zip(NAMES, buckets, strict=True):
            (generation / bucket).symlink_to(targets[version])
        for key, version in route.pins.items():
            (generation / f"key-{key}").symlink_to(targets[version])
    point_to(shelf, generation.name)
    for _, old in past[: -LINKED_GENERATIONS + 1]:
        if old.name != in_force:  # this one may have to be put in force again
            _unlink_buckets(old)
    return number


def point_to(shelf: Path, generation: str) -> None:
    """Put a generation in force with one rename, for good."""
    pointer = shelf / ".current"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(generation)
    pointer.rename(shelf / CURRENT)
    handle = os.open(shelf, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def withdraw(shelf: Path, number: int, before: str, why: str) -> None:
    """Put the generation `before`, or none, in force again, because the one with `number` didn't do."""
    if before:
        point_to(shelf, before)
    else:
        (shelf / CURRENT).unlink()
    folder = dict(generations(shelf))[number]
    # It stays, because a number is never used again: replicas remember what they have read.
    (folder / WITHDRAWN).write_text(why)


def history(shelf: Path) -> dict[int, Route]:
    """Return every route that a model has had by its number, the oldest first."""
    found = {}
    for number, folder in generations(shelf):
        try:
            if not (folder / WITHDRAWN).exists():
                found[number] = read_route(shelf, folder.name)
        except (OSError, ValueError):
            continue  # of an older format, or damaged
    return found


def _target(version: str, route: Route) -> str:
    """Return the name in which nginx reads all it has to know of a version."""
    return f"{version}.{route.digests[version]}{'.edge' if route.edge_cache else ''}"


def _buckets_before(shelf: Path) -> list[str]:
    """Return the version of each bucket in the generation in force."""
    current = current_route(shelf)
    if current is None:
        return [""] * BUCKETS
    try:
        links = [os.readlink(shelf / CURRENT / bucket) for bucket in NAMES]
    except OSError:
        return [current[1].primary] * BUCKETS
    return [link.partition(".")[0] for link in links]


def _unlink_buckets(generation: Path) -> None:
    """Leave of a generation what the history needs: its name and its route."""
    for each in generation.iterdir():
        if each.is_symlink():
            each.unlink()
        elif each.is_dir():
            shutil.rmtree(each)
