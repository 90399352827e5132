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
        self._followed_once = False
        self._retry_at = 0.0

    def get(self, model: str, version: str, routed: bool) -> LoadedVersion:
        """Return a loaded version; `routed` tells whether a route chose it, or the client by name."""
        held = self._loaded.get(model, {})
        found = held.get(version)
        if found is not None:
            return found
        if (model, version) in self.refused:
            raise NotReady(f"{model} version {version} can't be served: see /health/ready")
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
        if not self._followed_once:
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
        """Load what the routes name and isn't loaded yet; forget what they no longer name."""
        routed = read_routes(self._folder)
        # A refused version may have been half copied: look again, but don't hash it all day.
        again = bool(self.refused) and time.monotonic() >= self._retry_at
        if routed == self.routed and self._followed_once and not again:
            return
        self._retry_at = time.monotonic() + RETRY_SECONDS
        before, self.routed = self.routed, routed
        for model, version in routed.items():
            if version not in self._loaded.get(model, {}):
                self._load(model, version)
        self._followed_once = True
        # The version before stays: requests that chose it are still on their way.
        self._loaded = {
            model: {
                number: held
                for number, held in self._loaded.get(model, {}).items()
                if number in (version, before.get(model))
            }
            for model, version in routed.items()
        }
        self._on_change(self)

    def _load(self, model: str, version: str) -> None:
        folder = self._folder / model / version
        try:
            loaded = load_version(folder)
            self._on_load(loaded)
        except BrokenVersion as error:
            if self.refused.get((model, version)) != str(error):
                log.error("refused %s version %s: %s", model, version, error)
            self.refused = {**self.refused, (model, version): str(error)}
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
                routes[model.parent.name] = (model / "0").readlink().name
            except OSError:
                continue  # a route that is being made
    return routes
