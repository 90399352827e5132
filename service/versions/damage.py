"""Notices when files of a version in memory are changed or deleted: registry in, reasons out.

The version serves on. But no other replica could load it, so it is reported as soon as it is seen.
"""

import logging
import time
from pathlib import Path

from service.manifest import BrokenVersion, verify
from service.versions.registry import Registry
from service.versions.wanted import Key

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0

Fingerprint = tuple[tuple[str, int, int, int], ...]  # name, inode, size and time of each file


class DamageWatch:
    """Compares files with how they looked when they were loaded; hashes them only if that differs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # How files looked last, and what was wrong with them then: nothing is hashed all day.
        self._seen: dict[Key, tuple[Fingerprint, str]] = {}
        self._next = 0.0

    def fingerprint(self, key: Key) -> Fingerprint:
        """Return what can be seen of a version's files unopened; nothing if they are gone."""
        found = []
        try:
            for file in sorted(self._folder.joinpath(*key).iterdir()):
                status = file.stat()
                found.append((file.name, status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            return ()
        return tuple(found)

    def loaded(self, key: Key, seen: Fingerprint) -> None:
        """Remember how the files of a version looked just before they were loaded."""
        self._seen[key] = (seen, "")

    def look(self, registry: Registry) -> bool:
        """Look now and then at all that is loaded; tell whether `registry.damaged` has changed."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + EVERY_SECONDS
        before = registry.damaged
        registry.damaged = {key: why for key in registry.held() if (why := self._damage_of(key))}
        for key in registry.damaged.keys() - before.keys():
            log.error("%s version %s serves from memory; on disk: %s", *key, registry.damaged[key])
        return registry.damaged != before

    def _damage_of(self, key: Key) -> str:
        seen = self.fingerprint(key)
        before, damage = self._seen[key]
        if seen != before:
            damage = ""  # copied or touched, and right
            try:
                verify(self._folder.joinpath(*key))
            except BrokenVersion as error:
                damage = str(error)
            self._seen[key] = (seen, damage)
        return damage
