"""Routes as they lie in the registry: which versions answer for a model, read by replicas and commands.

`routes/{model}/current` is a link to the generation in force, a folder that is never changed. nginx
reads its name alone, everything else is in its `route.json`. `deploy.routing.generations` writes them.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from service.manifest import MODEL_NAME

ROUTES = "routes"
CURRENT = "current"
STAGED = "staged.json"
NAME = re.compile(MODEL_NAME)
# Checked as it is read: one route that somebody wrote by hand must not stop all the others.
Version = Annotated[str, Meta(pattern="^[0-9]+$")]
# Its number, then either the one version that answers, with what nginx has to know of it (its digest,
# whether to keep its answers), or that there are several: then the folder has a link for each bucket.
GENERATION = re.compile(
    r"(?P<number>[0-9]{6,})-(?:(?P<version>[0-9]+)\.[0-9a-f]{16}(?:\.edge)?|(?P<split>split))"
)


class Fallback(Struct, frozen=True):
    """Where rollback returns to: one version for everybody, as it was in a generation."""

    generation: int
    version: Version
    digest: str = ""
    edge_cache: bool = True


class Route(Struct, frozen=True, kw_only=True):
    """Which versions answer for a model, since when, by whom and why.

    `weights` are percent by version, more than 0 each and 100 together. `pins` name a version for
    single client keys, `shadow` one that is asked besides where another one answered. `edge_cache`
    tells whether nginx may keep answers, `digests` has the first 16 characters of each version's.
    `fallbacks` are where rollback returns to, and then again. `breached` is the version that a canary
    has taken back for its figures to make this route.
    """

    weights: Annotated[dict[Version, float], Meta(min_length=1)]
    time: str
    user: str
    reason: str
    command: str = ""
    edge_cache: bool = True
    shadow: Annotated[str, Meta(pattern="^[0-9]*$")] = ""
    pins: dict[str, Version] = {}
    digests: dict[str, str] = {}
    fallbacks: tuple[Fallback, ...] = ()
    breached: Annotated[str, Meta(pattern="^[0-9]*$")] = ""

    @property
    def fallback(self) -> Fallback | None:
        """Where rollback returns to first."""
        return self.fallbacks[0] if self.fallbacks else None

    @property
    def primary(self) -> str:
        """The version with the largest share, of equal ones the oldest."""
        return max(self.weights, key=lambda version: (self.weights[version], -int(version)))

    @property
    def settled(self) -> bool:
        """Whether one version answers everybody."""
        return len(self.weights) == 1 and not self.pins

    @property
    def answering(self) -> set[str]:
        """The versions that clients get."""
        return {*self.weights, *self.pins.values()}

    @property
    def kept(self) -> set[str]:
        """The versions that replicas hold because of it."""
        more = [self.shadow, self.fallback.version if self.fallback else ""]
        return {*self.answering, *filter(None, more)}


class Staged(Struct, frozen=True):
    """Versions that a command wants loaded before it routes them, until a time (seconds since 1970).

    `command` is unlike any other command's: a replica that repeats it has seen the wish.
    """

    versions: tuple[Version, ...]
    command: str
    until: float


def generation_of(shelf: Path) -> re.Match[str] | None:
    """Match the name of the generation in force in `routes/{model}`; None where there is none."""
    try:
        name = (shelf / CURRENT).readlink().name
    except OSError:
        return None
    return GENERATION.fullmatch(name)


def read_route(shelf: Path, generation: str = CURRENT) -> Route:
    """Read the route of a generation; raise `OSError` or `ValueError` where that can't be done."""
    return msgspec.json.decode((shelf / generation / "route.json").read_bytes(), type=Route)


def read_staged(shelf: Path) -> Staged | None:
    """Return what a command wants loaded just now."""
    try:
        staged = msgspec.json.decode((shelf / STAGED).read_bytes(), type=Staged)
    except (OSError, ValueError):
        return None
    return staged if staged.until > time.time() else None


class RouteReader:
    """Reads the routes of a registry again and again; a generation is never changed, so each once."""

    def __init__(self, registry: Path) -> None:
        self._folder = registry / ROUTES
        self._known: dict[tuple[str, str], Route] = {}

    @property
    def there(self) -> bool:
        """Whether the folder can be seen."""
        return self._folder.is_dir()

    def routes(self) -> dict[str, Route]:
        """Return each model's route."""
        known: dict[tuple[str, str], Route] = {}
        for shelf in self._shelves():
            generation = generation_of(shelf)
            if generation:
                key = (shelf.name, generation[0])
                try:
                    known[key] = self._known.get(key) or read_route(shelf, generation[0])
                except (OSError, ValueError):
                    continue  # a route that is being made, or of a strange format
        self._known = known
        return {model: route for (model, _), route in known.items()}

    def staged(self) -> dict[str, Staged]:
        """Return what commands want loaded, by model."""
        read = ((shelf.name, read_staged(shelf)) for shelf in self._shelves())
        return {model: staged for model, staged in read if staged}

    def _shelves(self) -> list[Path]:
        return sorted(each for each in self._folder.glob("*") if NAME.fullmatch(each.name))


def read_routes(registry: Path) -> Mapping[str, Route]:
    """Return each model's route."""
    return RouteReader(registry).routes()
