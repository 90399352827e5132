"""The versions that a replica holds: routes on disk come in, the loaded versions can be asked for.

A thread of its own compares twice a second what the routes name with what is loaded. A version is
verified, opened and warmed up there, beside the one that serves; a request only ever does a look-up.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from service.errors import NotFound, NotReady
from service.manifest import MODEL_NAME, BrokenVersion
from service.version import LoadedVersion, load_version

log = logging.getLogger(__name__)

ROUTES = "routes"
RETRY_SECONDS = 5.0
_NAME = re.compile(MODEL_NAME)
# Its number, the version, and what nginx has to know of that: its digest, whether to keep its answers.
GENERATION = re.compile(r"(?P<number>[0-9]{6,})-(?P<version>[0-9]+)\.[0-9a-f]{16}(?:\.edge)?")


class Registry:
    """Follows the routes of a registry folder. Safe to read from any thread."""

    def __init__(
        self,
        folder: Path,
        on_load: Callable[[LoadedVersion], None] = lambda version: None,
        on_change: Callable[["Registry"], None] = lambda registry: None,
    ) -> None:
        self._folder = folder
        self._on_load = on_load
        self._on_change = on_change
        self._loaded: Mapping[str, Mapping[str, LoadedVersion]] = {}
        self.routed: Mapping[str, str] = {}
        self.refused: Mapping[tuple[str, str], str] = {}
        self._stop = threading.Event()
        self._seen: tuple[Mapping[str, str], Mapping[str, str | None]] | None = None
        self._previous: dict[str, str] = {}
        self._retry_at = 0.0

    def get(self, model: str, version: str, routed: bool) -> LoadedVersion:
        """Return a loaded version; `routed` tells whether a route chose it, or the client by name."""
        held = self._loaded.get(model, {})
        found = held.get(version)
        if found is not None:
            return found
        if (model, version) in self.refused:
            reason = self.refused[model, version]
            raise NotReady(f"{model} version {version} is refused: {reason}")
        if routed:
            raise NotReady(f"{model} version {version} is being loaded")
        if model not in self.routed:
            raise NotFound(f"no model {model!r}; there are: {', '.join(self.routed) or 'none'}")
        loaded = ", ".join(held) or "none"
        raise NotFound(f"{model} version {version} isn't loaded; versions here: {loaded}")

    def current(self, model: str) -> LoadedVersion:
        """Return the version that the model's route names; raise `NotFound` or `NotReady`."""
        return self.get(model, self.routed.get(model, ""), routed=model in self.routed)

    def versions(self, model: str) -> list[LoadedVersion]:
        """Return the loaded versions of a model."""
        return list(self._loaded.get(model, {}).values())

    def missing(self) -> dict[str, str]:
        """Return what keeps the replica from being ready: 'model/version' and the reason."""
        if self._seen is None:
            return {"registry": "its routes haven't been read yet"}
        return {
            f"{model}/{version}": self.refused.get((model, version), "being loaded")
            for model, version in self.routed.items()
            if version not in self._loaded.get(model, {})
        }

    def follow_forever(self, every_seconds: float = 0.5) -> None:
        """Keep up with the routes until `stop`; runs in a thread of its own."""
        while True:
            try:
                self.follow()
            except Exception:  # a fault here must not end the thread that brings new versions
                log.exception("the registry can't be followed")
            if self._stop.wait(every_seconds):
                return

    def stop(self) -> None:
        """End `follow_forever`."""
        self._stop.set()

    def follow(self) -> None:
        """Load what the routes name, and the newest version of each model; forget what is older.

        The newest is loaded before it is routed, so that activating it is one rename.
        """
        if self._loaded and not (self._folder / ROUTES).is_dir():
            return  # the folder is gone or its file system away: what is in memory still serves
        routed = read_routes(self._folder)
        newest = {model: newest_version(self._folder / model) for model in routed}
        # A refused version may have been half copied: look again, but don't hash it all day.
        again = bool(self.refused) and time.monotonic() >= self._retry_at
        if (routed, newest) == self._seen and not again:
            return
        self._retry_at = time.monotonic() + RETRY_SECONDS
        for model, version in self.routed.items():
            if routed.get(model, version) != version:
                self._previous[model] = version
        self.routed, self._seen = routed, (routed, newest)
        for model in routed:
            for number in dict.fromkeys((routed[model], newest[model])):
                if number is not None and number not in self._loaded.get(model, {}):
                    self._load(model, number)
        self._forget(newest)
        self._on_change(self)

    def _forget(self, newest: Mapping[str, str | None]) -> None:
        """Let go of versions that no route names any more."""
        # The version before stays: requests that nginx sent to it are still on their way.
        kept = {
            (model, number)
            for model in self.routed
            for number in (self.routed[model], newest[model], self._previous.get(model))
        }
        self.refused = {key: why for key, why in self.refused.items() if key in kept}
        self._loaded = {
            model: {n: held for n, held in self._loaded.get(model, {}).items() if (model, n) in kept}
            for model in self.routed
        }

    def _load(self, model: str, version: str) -> None:
        folder = self._folder / model / version
        try:
            loaded = load_version(folder)
            self._on_load(loaded)
        except Exception as error:  # however it is broken, it must not stop those after it
            broken = isinstance(error, BrokenVersion)
            reason = str(error) if broken else f"{type(error).__name__}: {error}"
            if self.refused.get((model, version)) != reason:
                log.error("refused %s version %s: %s", model, version, reason)
            self.refused = {**self.refused, (model, version): reason}
            return
        self.refused = {key: why for key, why in self.refused.items() if key != (model, version)}
        held = {**self._loaded.get(model, {}), version: loaded}
        self._loaded = {**self._loaded, model: held}
        self._on_change(self)
        log.info("loaded %s version %s", model, version)


def read_routes(folder: Path) -> dict[str, str]:
    """Return the version that each model's route names."""
    routes = {}
    for model in sorted((folder / ROUTES).glob("*/current")):
        if _NAME.fullmatch(model.parent.name):
            try:
                generation = GENERATION.fullmatch(model.readlink().name)
                if generation and model.exists():
                    routes[model.parent.name] = generation["version"]
            except OSError:
                continue  # a route that is being made
    return routes


def newest_version(shelf: Path) -> str | None:
    """Return the largest version number in a model's folder."""
    numbers = [int(each.name) for each in shelf.glob("[0-9]*") if each.name.isdecimal()]
    return str(max(numbers)) if numbers else None
