"""The shadows of one replica: versions come in, a `Shadow` for each that is one goes out.

Asked by `service.replica` when routes change, in the registry's thread.
"""

import time
from collections.abc import Callable, Collection

from service.counting.counts import ShadowCounts
from service.settings import Settings
from service.shadow.shadow import Shadow
from service.version import LoadedVersion


class Shadows:
    """The shadows of one replica, one for each version that is one."""

    def __init__(self, settings: Settings, counts_of: Callable[[str, str], ShadowCounts]) -> None:
        self._settings = settings
        self._counts_of = counts_of
        self._shadows: dict[tuple[str, str], Shadow] = {}

    def shadow_of(self, version: LoadedVersion) -> Shadow:
        """Return the shadow that a version is; one that was loaded again gets a new one."""
        key = (version.name, version.number)
        shadow = self._shadows.get(key)
        if shadow is not None and shadow.version is version:
            return shadow
        if shadow is not None:
            shadow.close()
        settings = self._settings
        shadow = self._shadows[key] = Shadow(
            version,
            self._counts_of(*key),
            settings.shadow_queue_rows,
            settings.shadow_share,
            settings.shadow_tolerance,
        )
        return shadow

    def close_all_but(self, kept: Collection[Shadow] = ()) -> None:
        """Close the shadows that are no longer wanted."""
        for key, shadow in list(self._shadows.items()):
            if shadow not in kept:
                shadow.close()
                del self._shadows[key]

    def close(self, patience_seconds: float) -> None:
        """Close all, and wait for calls that are on their way.

        Python's end stops the threads that it leaves behind as soon as they come back to it, and in
        the middle of a library in C++ that aborts the process.
        """
        shadows = list(self._shadows.values())
        self.close_all_but()
        deadline = time.monotonic() + patience_seconds
        for shadow in shadows:
            shadow.join(max(deadline - time.monotonic(), 0.0))
