"""Keeps a replica's registry up with the routes: loads what they name, lets go of what they don't.

A thread of its own looks four times a second. A version is verified, opened and warmed up there,
beside the one that serves; a request only ever does a look-up.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from service.manifest import BrokenVersion
from service.version import LoadedVersion, load_version
from service.versions.beside import beside_requests
from service.versions.damage import DamageWatch
from service.versions.load_mark import LoadMark
from service.versions.registry import Registry
from service.versions.route import RouteReader
from service.versions.wanted import Key, wanted

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.25
RETRY_SECONDS = 5.0
# Longer than nginx goes on with a request (proxy_next_upstream_timeout): what was sent to a version
# before it lost its route still finds it.
LEAVE_SECONDS = 30.0


class Follower:
    """Follows the routes of a registry folder."""

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        most_loaded: int,
        mark: LoadMark,
        on_load: Callable[[LoadedVersion], None] = lambda version: None,
        on_change: Callable[[Registry], None] = lambda registry: None,
    ) -> None:
        self._folder = folder
        self._registry = registry
        self._most = most_loaded
        self._mark = mark
        self._on_load = on_load
        self._on_change = on_change
        self._routes = RouteReader(folder)
        self._damage = DamageWatch(folder)
        self._wanted_at: dict[Key, float] = {}
        self._retry_at = 0.0
        self._stop = threading.Event()
        mark.inherit()

    def follow_forever(self) -> None:
        """Keep up with the routes until `stop`; runs in a thread of its own."""
        while True:
            try:
                self.follow()
            # A fault here must not end the thread that brings new versions.
            except (Exception, SystemExit):
                log.exception("the registry can't be followed")
            if self._stop.wait(EVERY_SECONDS):
                return

    def stop(self) -> None:
        """End `follow_forever`."""
        self._stop.set()
        self._mark.end()  # whatever is being loaded isn't what ends this worker

    def follow(self) -> None:
        """Look once at routes and wishes; load, and let go."""
        registry = self._registry
        if registry.held() and not self._routes.there:
            return  # the folder is gone or its file system away: what is in memory still serves
        routes, staged = self._routes.routes(), self._routes.staged()
        keys, surplus = wanted(routes, staged, self._most)
        commands = {model: wish.command for model, wish in staged.items()}
        changed = not registry.read or (routes, keys) != (registry.routes, registry.wanted)
        if commands != registry.commands:
            # A new wish is a new attempt: what was refused before may have been mended.
            self._forget_refusals({(model, v) for model, wish in staged.items() for v in wish.versions})
            changed = True
        # What there was no room for, or nobody wanted, is tried at once when it is wanted.
        self._forget_refusals(set(keys) - set(registry.wanted))
        registry.routes, registry.wanted = routes, keys
        registry.read = True
        self._refuse_surplus(surplus)
        registry.commands = commands  # last: whoever reads it finds nothing older than the wish
        if changed:
            registry.tell()  # before anything is loaded: commands show who is about to
        now = time.monotonic()
        self._wanted_at.update(dict.fromkeys(keys, now))
        again = now >= self._retry_at
        if again:
            self._retry_at = now + RETRY_SECONDS
        for key in keys:
            if key not in registry.held() and (again or key not in registry.refused):
                changed = True
                self._load(key)
        changed |= self._release(now)
        changed |= self._damage.look(registry)
        if changed:
            self._on_change(registry)
            registry.tell()

    def _load(self, key: Key) -> None:
        """Bring a version in, or refuse it with its reason."""
        if self._mark.deadly(key):
            self._refuse(key, "the process that loaded it died (see the replica's log); out of memory?")
            return
        self._make_room()
        model, version = key
        self._mark.begin(key)
        try:
            seen = self._damage.fingerprint(key)
            with beside_requests():
                loaded = load_version(self._folder / model / version)
                self._on_load(loaded)
        # However it is broken, it must not stop those after it.
        except (Exception, SystemExit) as error:
            broken = isinstance(error, BrokenVersion)
            self._refuse(key, str(error) if broken else f"{type(error).__name__}: {error}")
            return
        finally:
            self._mark.end()
        self._damage.loaded(key, seen)
        self._registry.hold(loaded)
        self._on_change(self._registry)
        log.info("loaded %s version %s", model, version)

    def _refuse(self, key: Key, reason: str) -> None:
        registry = self._registry
        if registry.refused.get(key) != reason:
            log.error("refused %s version %s: %s", *key, reason)
            registry.refused = {**registry.refused, key: reason}
            registry.tell()

    def _refuse_surplus(self, surplus: Iterable[Key]) -> None:
        """Say that there is no room; take back what was said of versions that nobody wants any more."""
        kept = {*surplus, *self._registry.wanted}
        self._forget_refusals(set(self._registry.refused) - kept)
        for key in surplus:
            self._refuse(key, f"MAX_LOADED_VERSIONS={self._most} others are routed or wanted before it")

    def _forget_refusals(self, keys: set[Key]) -> None:
        registry = self._registry
        registry.refused = {key: why for key, why in registry.refused.items() if key not in keys}

    def _release(self, now: float) -> bool:
        """Let go of versions that have been unwanted for a while; tell whether there were any."""
        unwanted = self._registry.held() - set(self._registry.wanted)
        late = {key for key in unwanted if now - self._wanted_at.get(key, 0.0) >= LEAVE_SECONDS}
        if late:
            self._registry.release(late)
        return bool(late)

    def _make_room(self) -> None:
        """Let the longest unwanted versions go at once where there are as many as may be."""
        keys = self._registry.held()
        unwanted = sorted(
            keys - set(self._registry.wanted), key=lambda key: self._wanted_at.get(key, 0.0)
        )
        too_many = len(keys) + 1 - self._most
        if unwanted and too_many > 0:
            self._registry.release(unwanted[:too_many])
