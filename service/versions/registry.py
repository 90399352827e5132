"""The versions that a replica holds: `service.versions.follower` puts them in, requests look them up.

Safe to read from any thread: what is read is replaced as a whole, never changed.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from service.errors import NotFound, NotReady
from service.version import LoadedVersion
from service.versions.route import Route
from service.versions.wanted import Key

State = Literal["READY", "LOADING", "UNAVAILABLE"]  # as Triton's repository index has them


class VersionState(NamedTuple):
    """What a replica says of one version; `reason` where it isn't simply there."""

    model: str
    version: str
    state: State
    reason: str = ""


class Registry:
    """Loaded versions, and why others aren't. Only the follower's thread changes it."""

    def __init__(self) -> None:
        self._loaded: Mapping[str, Mapping[str, LoadedVersion]] = {}
        self.read = False  # whether the routes have been read at least once
        self.routes: Mapping[str, Route] = {}
        self.wanted: tuple[Key, ...] = ()
        self.refused: Mapping[Key, str] = {}
        self.damaged: Mapping[Key, str] = {}  # held in memory, but no longer right on disk
        self.commands: Mapping[str, str] = {}  # by model the command whose wish has been seen
        self.changed = threading.Event()

    def get(self, model: str, version: str, routed: bool) -> LoadedVersion:
        """Return a loaded version; `routed` tells whether a route chose it, or the client by name."""
        held = self._loaded.get(model, {})
        found = held.get(version)
        if found is not None:
            return found
        reason = self.refused.get((model, version))
        if reason is not None:
            raise NotReady(f"{model} version {version} is refused: {reason}")
        if routed:
            raise NotReady(f"{model} version {version} is being loaded")
        if model not in self.routes:
            raise NotFound(f"no model {model!r}; there are: {', '.join(self.routes) or 'none'}")
        loaded = ", ".join(held) or "none"
        raise NotFound(f"{model} version {version} isn't loaded; versions here: {loaded}")

    def find(self, model: str, version: str) -> LoadedVersion | None:
        """Return a version if it is loaded."""
        return self._loaded.get(model, {}).get(version)

    def current(self, model: str) -> LoadedVersion:
        """Return the version with the largest share of a model; raise `NotFound` or `NotReady`."""
        route = self.routes.get(model)
        return self.get(model, route.primary if route else "", routed=route is not None)

    def versions(self, model: str) -> list[LoadedVersion]:
        """Return the loaded versions of a model."""
        return list(self._loaded.get(model, {}).values())

    def held(self) -> set[Key]:
        """Return model and version of all that is loaded."""
        return {(model, version) for model, held in self._loaded.items() for version in held}

    def missing(self) -> dict[str, str]:
        """Return what keeps the replica from being ready: 'model/version' and the reason.

        Only versions that clients get count: a shadow or a staged version may be as broken as it likes.
        """
        if not self.read:
            return {"registry": "its routes haven't been read yet"}
        return {
            f"{model}/{version}": self.refused.get((model, version), "being loaded")
            for model, route in self.routes.items()
            for version in sorted(route.answering, key=int)
            if version not in self._loaded.get(model, {})
        }

    def states(self) -> list[VersionState]:
        """Return the state of every version that is loaded, wanted or refused."""
        keys = {*self.held(), *self.wanted, *self.refused}
        return [self._state(key) for key in sorted(keys, key=lambda key: (key[0], int(key[1])))]

    def _state(self, key: Key) -> VersionState:
        if key in self.held():
            damage = self.damaged.get(key)
            return VersionState(*key, "READY", f"in memory; on disk: {damage}" if damage else "")
        reason = self.refused.get(key)
        if reason is not None:
            return VersionState(*key, "UNAVAILABLE", reason)
        return VersionState(*key, "LOADING", "being loaded")

    def hold(self, version: LoadedVersion) -> None:
        """Take in a version."""
        model, number = version.name, version.number
        held = {**self._loaded.get(model, {}), number: version}
        self.refused = {key: why for key, why in self.refused.items() if key != (model, number)}
        self._loaded = {**self._loaded, model: held}
        self.tell()

    def release(self, keys: Iterable[Key]) -> None:
        """Let go of versions."""
        gone = set(keys)
        self._loaded = {
            model: {n: held for n, held in versions.items() if (model, n) not in gone}
            for model, versions in self._loaded.items()
        }
        self.damaged = {key: why for key, why in self.damaged.items() if key not in gone}
        self.tell()

    def tell(self) -> None:
        """Wake who waits for a change."""
        self.changed.set()
